//! `scaffold new`

use super::{Outcome, UsageError, recover};
use crate::ca_bundle;
use crate::hint::shown;
use crate::host::Host;
use crate::template::answers::{Answer, Answers, Given, Origin};
use crate::template::change::{Overwrite, changes};
use crate::template::receipt::Recorded;
use crate::template::{Template, catalog, receipt, render};
use crate::terminal::made::Made;
use crate::terminal::{Format, Terminal, prompt};
use crate::tree::{Tree, component_fault};
use crate::workspace::{self, Workspace};
use anyhow::Context;
use std::path::PathBuf;

/// The template when none is named.
const DEFAULT_TEMPLATE: &str = "python";

/// Make a project from a template
///
/// On a terminal it asks for what was not given; elsewhere it takes the defaults. Nothing is written before every file is rendered and
/// parsed, and then all of it or nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    scaffold new demo --image build\n  \
    scaffold new demo --template library --tests doctest --python 3.11\n  \
    scaffold new demo --image python:3.12 --dry-run")]
pub(crate) struct New {
    /// The folder to write to; made if it is not there [default: ./NAME, or here if here is empty]
    dir: Option<PathBuf>,
    /// The template, as `scaffold list` shows it [default: python]
    #[arg(long, short)]
    template: Option<String>,
    /// The project's name [default: the name of DIR]
    #[arg(long)]
    name: Option<String>,
    /// A Dockerfile (`build`), a ready image (`image`), or this very image
    #[arg(long, value_name = "build|image|REFERENCE")]
    image: Option<String>,
    /// The Python version, such as 3.13
    #[arg(long, value_name = "VERSION")]
    python: Option<String>,
    /// How the project is tested
    #[arg(long, value_name = "pytest|doctest|both")]
    tests: Option<String>,
    /// Any other option, as `scaffold show TEMPLATE` lists them; repeatable
    #[arg(long, value_name = "OPTION=VALUE")]
    set: Vec<String>,
    /// A JSON file of options, or the `.scaffold.json` of another project
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
    /// Carry the host's certificate authorities into the image, for networks that intercept TLS
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    #[expect(
        clippy::option_option,
        reason = "the flag may be absent, or there without a file"
    )]
    ca_bundle: Option<Option<PathBuf>>,
    /// Replace files that are in the way
    #[arg(long)]
    force: bool,
    /// Ask nothing and take the defaults
    #[arg(long, short)]
    yes: bool,
    /// Print what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
}

impl New {
    /// Makes the project.
    pub(crate) fn run(self, terminal: Terminal, host: &Host) -> anyhow::Result<Outcome> {
        let recorded = self.recorded()?;
        let can_ask = self.can_ask(terminal, host);
        if can_ask {
            prompt::restore_cursor_on_interrupt();
        }
        let template = match self.template.as_ref().or(recorded.template.as_ref()) {
            Some(id) => catalog::find(id)?,
            None if can_ask => ask_for_template()?,
            None => catalog::find(DEFAULT_TEMPLATE)?,
        };
        let answers = self.answers(&template, recorded.given, (terminal, host))?;
        let tree = self.tree(&template, &answers, host)?;
        let named = self.target(&answers, host)?;
        let workspace = Workspace::at(&host.current_dir.join(&named))?;
        if workspace.exists() && !self.dry_run {
            recover(terminal, workspace.folder())?;
        }
        let overwrite = if self.force {
            Overwrite::Allow
        } else {
            Overwrite::Refuse
        };
        let changes = changes(&tree, &workspace.survey(&tree)?, overwrite)?;
        if !self.dry_run {
            workspace
                .carry_out(&changes, &tree)
                .with_context(|| format!("failed to write `{}`", shown(workspace.folder())))?;
        }
        let made = Made {
            template: &template,
            answers: &answers,
            changes: &changes,
            folder: workspace.folder(),
            named: &named,
        };
        match (terminal.format, self.dry_run) {
            (Format::Json, true) => terminal.print_json(&made.as_json("planned"))?,
            (Format::Json, false) => terminal.print_json(&made.as_json("written"))?,
            (Format::Text, true) => terminal.print(made.plan())?,
            (Format::Text, false) => made.say(terminal),
        }
        Ok(Outcome::Success)
    }

    /// Whether a person is there to answer, and wants to be asked.
    fn can_ask(&self, terminal: Terminal, host: &Host) -> bool {
        host.can_ask && !self.yes && terminal.format == Format::Text
    }

    /// Settles every option: flags before a file of answers, a file before what the folder's name says.
    fn answers(
        &self,
        template: &Template,
        mut given: Vec<Given>,
        (terminal, host): (Terminal, &Host),
    ) -> anyhow::Result<Answers> {
        given.extend(self.flags()?);
        if !given.iter().any(|given| given.option == "name") {
            given.extend(self.name_of_folder(host)?);
        }
        let can_ask = self.can_ask(terminal, host);
        let answers = Answers::resolve(template, given, |question| {
            // Whether a proxy intercepts TLS is nothing that a newcomer should be asked.
            if !can_ask || question.name == "caBundle" {
                return Ok(None);
            }
            prompt::ask(question)
        })?;
        for (name, value, origin) in answers.iter() {
            terminal.detail(format!("{name} = {value}, from {origin}"));
        }
        Ok(answers)
    }

    /// What the flags give.
    fn flags(&self) -> Result<Vec<Given>, UsageError> {
        let flags = [
            ("name", "--name", &self.name),
            ("image", "--image", &self.image),
            ("python", "--python", &self.python),
            ("tests", "--tests", &self.tests),
        ];
        let mut given: Vec<Given> = flags
            .into_iter()
            .filter_map(|(option, flag, value)| {
                let value = value.as_deref()?;
                Some(Given::text(option, value, Origin::Flag(flag)))
            })
            .collect();
        if self.ca_bundle.is_some() {
            given.push(Given {
                option: "caBundle".to_owned(),
                value: Answer::Flag(true),
                origin: Origin::Flag("--ca-bundle"),
            });
        }
        for set in &self.set {
            let Some((option, value)) = set.split_once('=') else {
                return Err(UsageError::SetWithoutValue(set.clone()));
            };
            given.push(Given::text(option, value, Origin::Set));
        }
        Ok(given)
    }

    /// What the file of `--answers` says.
    fn recorded(&self) -> anyhow::Result<Recorded> {
        let Some(path) = &self.answers else {
            return Ok(Recorded::default());
        };
        let text = workspace::read_text(path)?;
        Ok(receipt::recorded(&path.display().to_string(), &text)?)
    }

    /// The name that DIR has, or the current folder if the project goes there.
    fn name_of_folder(&self, host: &Host) -> anyhow::Result<Option<Given>> {
        let folder = match &self.dir {
            Some(dir) => host.current_dir.join(dir),
            None if workspace::is_empty(&host.current_dir)? => host.current_dir.clone(),
            None => return Ok(None),
        };
        let folder = Workspace::at(&folder)?;
        let name = folder.folder().file_name().ok_or(UsageError::Root)?;
        let origin = Origin::Derived("the name of the folder".to_owned());
        let name = Given::text("name", &name.to_string_lossy(), origin);
        Ok(Some(name))
    }

    /// The folder to write to, from where the person stands.
    fn target(&self, answers: &Answers, host: &Host) -> anyhow::Result<PathBuf> {
        if let Some(dir) = &self.dir {
            return Ok(dir.clone());
        }
        if workspace::is_empty(&host.current_dir)? {
            return Ok(PathBuf::from("."));
        }
        let name = answers.get("name").map(ToString::to_string);
        let name = name.unwrap_or_default();
        match component_fault(&name) {
            None => Ok(PathBuf::from(name)),
            Some(reason) => Err(UsageError::FolderName { name, reason }.into()),
        }
    }

    /// Everything that is to be written, parsed.
    fn tree(&self, template: &Template, answers: &Answers, host: &Host) -> anyhow::Result<Tree> {
        let mut tree = render::render(template, answers)?;
        let receipt = receipt::receipt(template, answers, &tree)?;
        tree.insert(receipt::path(), receipt);
        if answers.get("caBundle") == Some(&Answer::Flag(true)) {
            let path = self.bundle(host)?;
            let text = workspace::read_text(&path)?;
            let file = ca_bundle::certificates(&text).ok_or(UsageError::NoCertificate(path))?;
            tree.insert(ca_bundle::path(), file);
        }
        Ok(tree)
    }

    /// The bundle that was named, or the one that this machine uses.
    fn bundle(&self, host: &Host) -> Result<PathBuf, UsageError> {
        if let Some(Some(named)) = &self.ca_bundle {
            return Ok(named.clone());
        }
        let found = host.ca_bundles.iter().find(|path| workspace::is_file(path));
        found
            .cloned()
            .ok_or_else(|| UsageError::NoBundle(host.ca_bundles.clone()))
    }
}

fn ask_for_template() -> anyhow::Result<Template> {
    let mut templates = Vec::new();
    for id in catalog::ids() {
        templates.push((id.to_owned(), catalog::find(id)?.manifest.name));
    }
    let id = prompt::choose_template(&templates, DEFAULT_TEMPLATE)?;
    Ok(catalog::find(&id)?)
}
