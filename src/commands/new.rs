//! `scaffold new`

use super::{Outcome, UsageError};
use crate::ca_bundle;
use crate::host::Host;
use crate::template::answers::{Answer, Answers, Given, Origin};
use crate::template::change::{Change, Overwrite, changes};
use crate::template::image::Image;
use crate::template::{Template, catalog, parse, receipt, render};
use crate::terminal::report::SCHEMA_VERSION;
use crate::terminal::{Format, Terminal, prompt, report};
use crate::tree::{Tree, component_fault};
use crate::workspace::{self, Recovered, Workspace};
use anyhow::Context;
use serde_json::json;
use std::path::{Path, PathBuf};

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

/// What a file of answers says.
#[derive(Debug, Default)]
struct Recorded {
    template: Option<String>,
    given: Vec<Given>,
}

impl New {
    /// Makes the project.
    pub(crate) fn run(self, terminal: Terminal, host: &Host) -> anyhow::Result<Outcome> {
        let recorded = self.recorded()?;
        let id = self.template.as_deref().or(recorded.template.as_deref());
        let template = catalog::find(id.unwrap_or(DEFAULT_TEMPLATE))?;
        let answers = self.answers(&template, recorded.given, (terminal, host))?;
        let tree = self.tree(&template, &answers, host)?;
        let workspace = Workspace::at(&self.target(&answers, host)?)?;
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
                .with_context(|| format!("failed to write `{}`", workspace.folder().display()))?;
        }
        self.report(
            terminal,
            &Made {
                template: &template,
                answers: &answers,
                changes: &changes,
                folder: workspace.folder(),
                host,
            },
        )?;
        Ok(Outcome::Success)
    }

    /// Settles every option: flags before a file of answers, a file before what the folder's name says.
    fn answers(
        &self,
        template: &Template,
        mut given: Vec<Given>,
        (terminal, host): (Terminal, &Host),
    ) -> anyhow::Result<Answers> {
        given.extend(self.flags()?);
        given.extend(python_of_image(&given)?);
        if !given.iter().any(|given| given.option == "name") {
            given.extend(self.name_of_folder(host)?);
        }
        let can_ask = host.can_ask && !self.yes && terminal.format == Format::Text;
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
        Ok(parse_answers(path, &text)?)
    }

    /// The name that DIR has, or the current folder if the project goes there.
    fn name_of_folder(&self, host: &Host) -> anyhow::Result<Option<Given>> {
        let folder = match &self.dir {
            Some(dir) => host.current_dir.join(dir),
            None if workspace::is_empty(&host.current_dir)? => host.current_dir.clone(),
            None => return Ok(None),
        };
        let folder = Workspace::at(&folder)?;
        let name = folder.folder().file_name();
        Ok(name.map(|name| {
            let origin = Origin::Derived("the name of the folder".to_owned());
            Given::text("name", &name.to_string_lossy(), origin)
        }))
    }

    /// The folder to write to.
    fn target(&self, answers: &Answers, host: &Host) -> anyhow::Result<PathBuf> {
        if let Some(dir) = &self.dir {
            return Ok(host.current_dir.join(dir));
        }
        if workspace::is_empty(&host.current_dir)? {
            return Ok(host.current_dir.clone());
        }
        let name = answers.get("name").map(ToString::to_string);
        let name = name.unwrap_or_default();
        match component_fault(&name) {
            None => Ok(host.current_dir.join(name)),
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
        parse::check(template, &tree)?;
        Ok(tree)
    }

    /// The bundle that was named, or the one that this machine uses.
    fn bundle(&self, host: &Host) -> Result<PathBuf, UsageError> {
        if let Some(Some(path)) = &self.ca_bundle {
            return Ok(path.clone());
        }
        let found = host.ca_bundles.iter().find(|path| workspace::is_file(path));
        found
            .cloned()
            .ok_or_else(|| UsageError::NoBundle(host.ca_bundles.clone()))
    }

    fn report(&self, terminal: Terminal, made: &Made<'_>) -> anyhow::Result<()> {
        match terminal.format {
            Format::Json => terminal.print_json(&self.as_json(made))?,
            Format::Text if self.dry_run => report::plan(terminal, made.changes)?,
            Format::Text => made.say(terminal),
        }
        Ok(())
    }

    fn as_json(&self, made: &Made<'_>) -> serde_json::Value {
        let answers = made.answers.iter().map(|(name, value, origin)| {
            json!({ "name": name, "value": value, "origin": origin.to_string().replace('`', "") })
        });
        json!({
            "schemaVersion": SCHEMA_VERSION,
            "dryRun": self.dry_run,
            "folder": made.folder,
            "template": { "id": made.template.manifest.id, "version": made.template.manifest.version },
            "answers": answers.collect::<Vec<_>>(),
            "files": made.changes,
        })
    }
}

/// What a run came to.
struct Made<'a> {
    template: &'a Template,
    answers: &'a Answers,
    changes: &'a [Change],
    folder: &'a Path,
    host: &'a Host,
}

impl Made<'_> {
    /// One line on what was made and where, and the next step.
    fn say(&self, terminal: Terminal) {
        use crate::template::change::Action;
        let written = |change: &&Change| change.action != Action::Keep;
        let count = self.changes.iter().filter(written).count();
        let folder = match self.folder.strip_prefix(&self.host.current_dir) {
            Ok(inner) if inner.as_os_str().is_empty() => Path::new("."),
            Ok(inner) => inner,
            Err(_) => self.folder,
        };
        let folder = folder.display();
        if count == 0 {
            terminal.say(format!("`{folder}` is up to date"));
            return;
        }
        let replaced = self
            .changes
            .iter()
            .filter(|change| change.action == Action::Replace);
        for change in replaced {
            terminal.say(format!("Replaced `{}`", change.path));
        }
        let id = &self.template.manifest.id;
        terminal.say(format!(
            "Created `{folder}` from template `{id}`: {count} files"
        ));
        terminal.say(format!(
            "Open it in VS Code (`code {folder}`) and choose “Reopen in Container”"
        ));
    }
}

/// Finishes what a killed command left in `folder`, and says so.
pub(crate) fn recover(terminal: Terminal, folder: &Path) -> anyhow::Result<()> {
    match workspace::recover(folder)? {
        None => {}
        Some(Recovered::Completed) => {
            terminal.say("Finished what an interrupted scaffold had begun to write here");
        }
        Some(Recovered::RolledBack) => {
            terminal.say("Undid what an interrupted scaffold had begun to write here");
        }
    }
    Ok(())
}

/// The Python version that the image's tag names, unless one was given; an error where both were and differ.
fn python_of_image(given: &[Given]) -> Result<Option<Given>, UsageError> {
    let find = |option: &str| {
        let mut found = given.iter().filter(|given| given.option == option);
        found.next_back().map(|given| given.value.to_string())
    };
    let Some(image) = find("image") else {
        return Ok(None);
    };
    let parsed = Image::parse(&image).ok();
    let Some(version) = parsed.as_ref().and_then(Image::python_version) else {
        return Ok(None);
    };
    match find("python") {
        Some(python) if python != version => Err(UsageError::PythonOfImage {
            version: version.to_owned(),
            image,
            python,
        }),
        Some(_) => Ok(None),
        None => {
            let origin = Origin::Derived(format!("the tag of `{image}`"));
            Ok(Some(Given::text("python", version, origin)))
        }
    }
}

/// The answers in `text`: an object of options, or a receipt.
fn parse_answers(path: &Path, text: &str) -> Result<Recorded, UsageError> {
    let fault = |reason: String| UsageError::Answers {
        path: path.to_owned(),
        reason,
    };
    let options = jsonc_parser::ParseOptions::default();
    let value: serde_json::Value = jsonc_parser::parse_to_serde_value(text, &options)
        .map_err(|error| fault(error.to_string()))?;
    let serde_json::Value::Object(mut object) = value else {
        return Err(fault("it holds no JSON object".to_owned()));
    };
    let mut recorded = Recorded::default();
    if let (Some(template), Some(serde_json::Value::Object(answers))) =
        (object.get("template"), object.get("answers"))
    {
        let id = template["id"].as_str();
        recorded.template = id.map(str::to_owned);
        object = answers.clone();
    }
    for (option, value) in object {
        let value = match value {
            serde_json::Value::Bool(flag) => Answer::Flag(flag),
            serde_json::Value::String(text) => Answer::Text(text),
            serde_json::Value::Number(number) => {
                let reason = format!(
                    "`{option}` is the number {number}; write it in quotes, since 3.10 as a number is 3.1"
                );
                return Err(fault(reason));
            }
            _ => {
                return Err(fault(format!(
                    "`{option}` is neither text nor true or false"
                )));
            }
        };
        recorded.given.push(Given {
            option,
            value,
            origin: Origin::File(path.display().to_string()),
        });
    }
    Ok(recorded)
}
