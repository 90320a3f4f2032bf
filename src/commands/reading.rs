//! Reading a dev container: its file, the container that was made of it, its image, and its Features.

use crate::devcontainer::base_image::{BuildOptions, base_image, platform};
use crate::devcontainer::build_config::{self, Base};
use crate::devcontainer::compose::{self, Found, Project};
use crate::devcontainer::configuration::{
    CONFIG_FILE, Configuration, LOCAL_FOLDER, Surroundings, configure, id_labels,
};
use crate::devcontainer::feature::source::{Place, Source};
use crate::devcontainer::feature::{self, FeatureSet, Fetched, File, Resolved, Wanted, lock};
use crate::devcontainer::merge::merge;
use crate::devcontainer::metadata::{self, Entry, Origin};
use crate::devcontainer::workspace_folder::HostFolder;
use crate::engine::address::{Disk, address};
use crate::engine::container::{Container, Listed};
use crate::engine::image::Image;
use crate::engine::{Engine, EngineError};
use crate::hint::{Hint, enumerate};
use crate::host::Host;
use crate::registry::Registry;
use crate::terminal::Terminal;
use crate::workspace::{self, WorkspaceError, find};
use anyhow::Context;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::thread;

/// A configuration that was found.
#[derive(Debug)]
pub(crate) struct Named {
    /// The workspace folder.
    pub(crate) folder: String,
    /// The file.
    pub(crate) file: String,
    /// What it holds.
    pub(crate) text: String,
    git_root: Option<String>,
}

/// Why a configuration has no merged form.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadingError {
    /// Nothing to make a container of.
    #[error("`{0}` names neither `image` nor `build` nor `dockerComposeFile`")]
    NoImage(String),
    /// A variable of FROM that is empty.
    #[error("FROM of `{0}` names no image: its variables are empty")]
    NoBase(String),
    /// Somebody removed it.
    #[error("the container was removed meanwhile")]
    Gone,
    /// A service that is not named.
    #[error("`{0}` names no `service` of its Compose files")]
    NoService(String),
    /// A Compose file that says nothing sound of the service.
    #[error(transparent)]
    Compose(#[from] compose::ComposeError),
}

impl Hint for ReadingError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoImage(_) => {
                "begin with `\"image\": \"…\"` or `\"build\": { \"dockerfile\": \"…\" }`".to_owned()
            }
            Self::NoBase(_) => "give its ARG a default, or a value in `build.args`".to_owned(),
            Self::NoService(_) => "name the one to work in: `\"service\": \"…\"`".to_owned(),
            Self::Compose(compose::ComposeError::NoService { known, .. }) => {
                format!("there are {}", enumerate(known.iter().map(String::as_str)))
            }
            Self::Gone | Self::Compose(_) => return None,
        })
    }
}

/// A dev container as far as its file and this machine tell.
#[derive(Debug)]
pub(crate) struct Reading<'a> {
    /// The configuration.
    pub(crate) configuration: Configuration<'a>,
    /// What was read.
    pub(crate) named: &'a Named,
    /// Its container, if there is one.
    pub(crate) container: Option<Container>,
    /// The machine that it was read on.
    pub(crate) machine: &'a Machine<'a>,
}

/// This machine: its facts, and what runs in its engine.
#[derive(Debug)]
pub(crate) struct Machine<'a> {
    /// The facts.
    pub(crate) host: &'a Host,
    /// The person at it.
    pub(crate) terminal: Terminal,
    /// Its engine, if one answers.
    pub(crate) engine: Option<Engine>,
    /// The containers of dev containers.
    listed: Vec<Listed>,
}

/// The dev containers that a command is about.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scope<'a> {
    /// That of one workspace folder.
    Folder(&'a str),
    /// Those of many.
    All,
    /// None that is there already.
    Nothing,
}

impl<'a> Machine<'a> {
    /// The engine.
    pub(crate) fn engine(&self) -> Result<&Engine, EngineError> {
        self.engine.as_ref().ok_or(EngineError::None)
    }

    /// Asks the engine for the containers of `scope`.
    pub(crate) fn reach(
        terminal: Terminal,
        host: &'a Host,
        scope: Scope<'_>,
    ) -> Result<Self, EngineError> {
        let engine = engine(host)?;
        let listed = match scope {
            Scope::Folder(folder) => engine.labelled(LOCAL_FOLDER, Some(folder))?,
            Scope::All => engine.labelled(LOCAL_FOLDER, None)?,
            Scope::Nothing => Vec::new(),
        };
        Ok(Self {
            host,
            terminal,
            engine: Some(engine),
            listed,
        })
    }

    /// The same where there may be no engine: without one there is no container, as far as anybody can tell.
    pub(crate) fn look(terminal: Terminal, host: &'a Host, scope: Scope<'_>) -> Self {
        Self::reach(terminal, host, scope).unwrap_or_else(|error| {
            terminal.detail(format!("{error}, so that no container is looked at"));
            Self {
                host,
                terminal,
                engine: None,
                listed: Vec::new(),
            }
        })
    }

    /// The container that was started from `file` in `folder`, and the labels by which it was found.
    fn container(&self, folder: &str, file: &str) -> Option<(BTreeMap<String, String>, Container)> {
        let engine = self.engine.as_ref()?;
        let [labels, old] = id_labels(folder, file);
        let carry = |labels: &BTreeMap<String, String>, listed: &&Listed| {
            let has = |(name, value)| listed.labels.get(name) == Some(value);
            labels.iter().all(has)
        };
        // Tools that know of one configuration alone label with the folder alone.
        let is_old = |listed: &&Listed| !listed.labels.contains_key(CONFIG_FILE);
        let exact = self.listed.iter().filter(|listed| carry(&labels, listed));
        let exact = exact.map(|listed| (&labels, listed));
        let alone = self.listed.iter().filter(|listed| carry(&old, listed));
        let alone = alone.filter(is_old).map(|listed| (&old, listed));
        for (labels, listed) in exact.chain(alone) {
            match engine.container(&listed.id) {
                Ok(Some(container)) => return Some((labels.clone(), container)),
                Ok(None) => {}
                Err(error) => self
                    .terminal
                    .detail(format!("{error}, so that it is not looked at")),
            }
        }
        None
    }
}

/// A dev container with all that its image and its Features say.
#[derive(Debug)]
pub(crate) struct Whole {
    /// The configuration in its merged form.
    pub(crate) merged: Map<String, Value>,
    /// What it was merged of, variables put in.
    pub(crate) entries: Vec<Entry>,
    /// The Features in the order in which they are installed; `None` where they were not looked at.
    pub(crate) features: Option<Vec<FeatureSet>>,
    /// What is wrong with the metadata and was passed over.
    pub(crate) remarks: Vec<String>,
}

impl Named {
    /// Reads the file at `file`, of the project in `folder`.
    pub(crate) fn read(folder: &Path, file: &Path, host: &Host) -> Result<Self, WorkspaceError> {
        let text = workspace::read_text(file)?;
        if text.is_empty() {
            return Err(WorkspaceError::NoConfiguration(folder.to_owned()));
        }
        let folder = folder.to_string_lossy().into_owned();
        // What is read and named later is the folder as text, whatever bytes it has on the disk.
        let root = find::git_root(Path::new(&folder), &host.environment);
        Ok(Self {
            git_root: root.map(|root| root.to_string_lossy().into_owned()),
            folder,
            file: file.to_string_lossy().into_owned(),
            text,
        })
    }

    /// The labels by which its container is found.
    pub(crate) fn labels(&self) -> BTreeMap<String, String> {
        let [labels, _] = id_labels(&self.folder, &self.file);
        labels
    }

    /// What it means on this host, and in its container, if there is one.
    pub(crate) fn configure<'a>(&'a self, machine: &'a Machine<'a>) -> anyhow::Result<Reading<'a>> {
        let configuration = configure(
            &self.text,
            Surroundings {
                folder: HostFolder {
                    path: &self.folder,
                    git_root: self.git_root.as_deref(),
                },
                config_file: &self.file,
                environment: &machine.host.environment,
            },
        )?;
        let found = machine.container(&self.folder, &self.file);
        let (configuration, container) = match found {
            Some((labels, container)) => (
                configuration.in_container(&labels, &container.environment)?,
                Some(container),
            ),
            None => (configuration, None),
        };
        Ok(Reading {
            configuration,
            named: self,
            container,
            machine,
        })
    }
}

/// The engine that the docker client would take.
pub(crate) fn engine(host: &Host) -> Result<Engine, EngineError> {
    let disk = Disk {
        read: &|path| workspace::read_text(path).ok(),
        exists: &|path| workspace::exists(path),
    };
    Engine::connect(address(&host.environment, &disk)?)
}

/// What becomes of an image or a Feature that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// Nothing is known without it.
    Fails,
    /// It is said, and the rest is looked at.
    IsSaid,
}

impl Unreadable {
    /// What was read, or nothing, with a remark.
    fn or_said<T: Default>(
        self,
        read: anyhow::Result<T>,
        remarks: &mut Vec<String>,
    ) -> anyhow::Result<T> {
        match read {
            Err(error) if self == Self::IsSaid => {
                let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
                remarks.push(format!("{}; the rest is looked at", causes.join(": ")));
                Ok(T::default())
            }
            read => read,
        }
    }
}

impl Reading<'_> {
    /// The same for a container that is yet to be made.
    pub(crate) fn with_id(&self, labels: &BTreeMap<String, String>) -> anyhow::Result<Self> {
        let configuration = self.configuration.clone().with_id(labels)?;
        Ok(Self {
            configuration,
            named: self.named,
            container: None,
            machine: self.machine,
        })
    }

    /// The same in the container `id`, which was made with `labels`.
    pub(crate) fn in_container(
        &self,
        id: &str,
        labels: &BTreeMap<String, String>,
    ) -> anyhow::Result<Self> {
        let container = self.machine.engine()?.container(id)?;
        let container = container.ok_or(ReadingError::Gone)?;
        let configuration = self.configuration.clone();
        Ok(Self {
            configuration: configuration.in_container(labels, &container.environment)?,
            named: self.named,
            container: Some(container),
            machine: self.machine,
        })
    }

    /// The workspace folder on the host.
    pub(crate) fn folder(&self) -> &str {
        &self.named.folder
    }

    /// Adds what the image and the Features say, or what the container says that is there already.
    pub(crate) fn merge(&self, unreadable: Unreadable) -> anyhow::Result<Whole> {
        let mut remarks = Vec::new();
        let config = &self.configuration.config;
        let mut features = None;
        let said = if let Some(container) = &self.container {
            of_container(container, &mut remarks)
        } else {
            let sets = unreadable.or_said(self.features(), &mut remarks)?;
            let of_image = self.of_image(&mut remarks);
            let mut said = unreadable.or_said(of_image, &mut remarks)?;
            let of_feature = |set: &FeatureSet| Entry::of_feature(&set.id, &set.feature);
            said.extend(sets.iter().map(of_feature));
            features = Some(sets);
            said
        };
        let mut entries = self.substituted(said)?;
        let labelled = self.container.as_ref();
        let is_labelled = labelled.is_some_and(|found| label(&found.labels).is_some());
        entries.push(if is_labelled {
            Entry::of_file_now(config)
        } else {
            Entry::of_file(config)
        });
        Ok(Whole {
            merged: merge(config, &entries),
            entries,
            features,
            remarks,
        })
    }

    /// What a container is made of.
    pub(crate) fn base(&self) -> Base {
        build_config::base(&self.configuration.config, self.config_folder())
    }

    /// What was said, variables put in.
    fn substituted(&self, said: Vec<Entry>) -> anyhow::Result<Vec<Entry>> {
        let entries = said.into_iter().map(|Entry { origin, properties }| {
            let properties = self
                .configuration
                .substitute(properties)
                .with_context(|| format!("failed to read {origin}"))?;
            Ok(Entry { origin, properties })
        });
        entries.collect()
    }

    /// The merged form of a container that is yet to be made of `image`, and carries all that its label says.
    pub(crate) fn merge_on(&self, image: &Image, name: &str) -> anyhow::Result<Map<String, Value>> {
        let mut remarks = Vec::new();
        let config = &self.configuration.config;
        let said = entries_of(image, name, &mut remarks);
        for remark in remarks {
            self.machine.terminal.say(format!("warning: {remark}"));
        }
        let mut entries = self.substituted(said)?;
        entries.push(Entry::of_file(config));
        Ok(merge(config, &entries))
    }

    /// The label of an image that is made of this configuration: what the image below it says, and the file, no variable replaced.
    pub(crate) fn label(&self, below: Option<&Image>) -> anyhow::Result<String> {
        let mut remarks = Vec::new();
        let mut entries = match below {
            Some(image) => entries_of(image, "below", &mut remarks),
            None => self.of_image(&mut remarks)?,
        };
        entries.push(Entry::of_file(&self.configuration.raw()));
        Ok(metadata::label_text(&entries))
    }

    fn of_image(&self, remarks: &mut Vec<String>) -> anyhow::Result<Vec<Entry>> {
        let Some(name) = self.image_name()? else {
            return Ok(Vec::new());
        };
        let image = self.image(&name)?;
        Ok(entries_of(&image, &name, remarks))
    }

    /// What an image says, by the engine, or else by its registry.
    fn image(&self, name: &str) -> anyhow::Result<Image> {
        let of_engine = self
            .machine
            .engine
            .as_ref()
            .map(|engine| engine.image(name));
        match of_engine {
            Some(Ok(Some(image))) => return Ok(image),
            Some(Err(error)) => self.machine.terminal.detail(error),
            Some(Ok(None)) | None => {}
        }
        let registry = Registry::new(&self.machine.host.environment);
        let platform = format!("linux/{}", self.machine.host.architecture);
        let config = registry.image(name, &platform).with_context(|| {
            format!("neither the engine nor a registry tells of the image `{name}`")
        })?;
        let labels = config.get("Labels").and_then(Value::as_object);
        let labels = labels
            .into_iter()
            .flatten()
            .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
        Ok(Image {
            labels: labels.collect(),
            ..Image::default()
        })
    }

    /// The image whose label counts; `None` where it is known to have none.
    fn image_name(&self) -> anyhow::Result<Option<String>> {
        let config = &self.configuration.config;
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let build = config.get("build");
        let dockerfile = config
            .get("dockerFile")
            .or_else(|| build?.get("dockerfile"));
        if let Some(dockerfile) = text(dockerfile) {
            let args = build.and_then(|build| build.get("args")?.as_object());
            let args = args
                .into_iter()
                .flatten()
                .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
            let target = build.and_then(|build| build.get("target")?.as_str());
            let options = BuildOptions {
                args: args.collect(),
                target: target.filter(|target| !target.is_empty()),
            };
            let path = compose::join(self.config_folder(), &dockerfile);
            let text = workspace::read_text(Path::new(&path))?;
            return self.base_of(&path, &text, &options);
        }
        if config.contains_key("dockerComposeFile") {
            return self.image_of_service();
        }
        match text(config.get("image")).filter(|image| !image.is_empty()) {
            Some(image) => Ok(Some(image)),
            None => Err(ReadingError::NoImage(self.named.file.clone()).into()),
        }
    }

    fn base_of(
        &self,
        path: &str,
        dockerfile: &str,
        options: &BuildOptions<'_>,
    ) -> anyhow::Result<Option<String>> {
        let base = base_image(
            dockerfile,
            options,
            &platform(self.machine.host.architecture),
        );
        match base {
            Some(base) if base.is_empty() => Err(ReadingError::NoBase(path.to_owned()).into()),
            base => Ok(base),
        }
    }

    fn image_of_service(&self) -> anyhow::Result<Option<String>> {
        let config = &self.configuration.config;
        let Some(service) = config.get("service").and_then(Value::as_str) else {
            return Err(ReadingError::NoService(self.named.file.clone()).into());
        };
        let (files, environment) = self.compose_files()?;
        let mut texts = BTreeMap::new();
        for file in &files {
            texts.insert(file.clone(), workspace::read_text(Path::new(file))?);
        }
        let source = loop {
            let project = Project {
                files: &files,
                texts: &texts,
                environment: &environment,
            };
            match compose::source(project, service).map_err(ReadingError::Compose)? {
                Found::Source(source) => break source,
                Found::Missing(file) => {
                    let text = workspace::read_text(Path::new(&file))?;
                    texts.insert(file, text);
                }
            }
        };
        match source {
            compose::Source::Image(image) => Ok(Some(image)),
            compose::Source::Build(build) => {
                let text = match build.inline {
                    Some(text) => text,
                    None => workspace::read_text(Path::new(&build.dockerfile))?,
                };
                let options = BuildOptions {
                    args: build.args,
                    target: build.target.as_deref(),
                };
                self.base_of(&build.dockerfile, &text, &options)
            }
        }
    }

    /// The Compose files, and the variables that they may use: of `.env` beside the first of them, under those of the environment.
    fn compose_files(&self) -> anyhow::Result<(Vec<String>, BTreeMap<String, String>)> {
        let folder = self.named.folder.as_str();
        let named = self.configuration.config.get("dockerComposeFile");
        let named = match named {
            Some(Value::String(file)) => vec![file.as_str()],
            Some(Value::Array(files)) => files.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let own = format!("{folder}/.env");
        let dot_env = |path: &str| -> anyhow::Result<BTreeMap<String, String>> {
            let text = read_if_there(path)?;
            Ok(text.map(|text| compose::dot_env(&text)).unwrap_or_default())
        };
        let files: Vec<String> = if named.is_empty() {
            let variables = dot_env(&own)?;
            let given = self.machine.host.environment.get("COMPOSE_FILE");
            let given = given.or_else(|| variables.get("COMPOSE_FILE"));
            match given.filter(|given| !given.is_empty()) {
                Some(given) => given
                    .split(':')
                    .map(|file| compose::join(folder, file))
                    .collect(),
                None => usual_compose_files(folder),
            }
        } else {
            let config_folder = self.config_folder();
            named
                .into_iter()
                .map(|file| compose::join(config_folder, file))
                .collect()
        };
        let beside = files
            .first()
            .map(|file| Path::new(file).with_file_name(".env"));
        let beside = beside.unwrap_or_default();
        let mut environment = dot_env(&beside.to_string_lossy())?;
        environment.extend(self.machine.host.environment.clone());
        Ok((files, environment))
    }

    fn config_folder(&self) -> &str {
        let file = self.named.file.as_str();
        file.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// The Features that are asked for, read from where they are.
    fn features(&self) -> anyhow::Result<Vec<FeatureSet>> {
        let config = &self.configuration.config;
        let name = Path::new(&self.named.file).file_name();
        let name = name.unwrap_or_default().to_string_lossy();
        let lock = format!("{}/{}", self.config_folder(), lock::name(&name));
        let integrity = match read_if_there(&lock)? {
            Some(text) => lock::integrity(&lock, &text)?,
            None => BTreeMap::new(),
        };
        let place = Place {
            config_folder: self.config_folder(),
            workspace_folder: &self.named.folder,
            integrity: &integrity,
        };
        let mut known: BTreeMap<Source, Fetched> = BTreeMap::new();
        let registry = Registry::new(&self.machine.host.environment);
        loop {
            let missing = match feature::resolve(config, place, &known)? {
                Resolved::Order(sets) => return Ok(sets),
                Resolved::Missing(missing) => missing,
            };
            for (source, fetched) in fetch(&registry, &missing)? {
                known.insert(source, fetched);
            }
        }
    }
}

/// What the label of an image says.
fn entries_of(image: &Image, name: &str, remarks: &mut Vec<String>) -> Vec<Entry> {
    let text = label(&image.labels).unwrap_or_default();
    let read = metadata::of_label(text, |entry| Origin::Image(name.to_owned(), entry));
    read.unwrap_or_else(|fault| {
        remarks.push(format!("the image `{name}`: {fault}"));
        Vec::new()
    })
}

/// What the label of a container says.
fn of_container(container: &Container, remarks: &mut Vec<String>) -> Vec<Entry> {
    let text = label(&container.labels).unwrap_or_default();
    metadata::of_label(text, Origin::Container).unwrap_or_else(|fault| {
        remarks.push(format!("the container: {fault}"));
        Vec::new()
    })
}

/// Reads Features, those of registries all at once.
fn fetch(registry: &Registry<'_>, missing: &[Wanted]) -> anyhow::Result<Vec<(Source, Fetched)>> {
    thread::scope(|scope| {
        let running: Vec<_> = missing
            .iter()
            .map(|wanted| scope.spawn(|| fetch_one(registry, wanted)))
            .collect();
        let fetched = running.into_iter().map(|thread| {
            let panicked = |_| Err(anyhow::anyhow!("a thread that read a Feature has panicked"));
            thread.join().unwrap_or_else(panicked)
        });
        let fetched = missing.iter().zip(fetched);
        fetched
            .map(|(wanted, fetched)| Ok((wanted.source.clone(), fetched?)))
            .collect()
    })
}

fn fetch_one(registry: &Registry<'_>, wanted: &Wanted) -> anyhow::Result<Fetched> {
    if let Source::Folder(path) = &wanted.source {
        let file = PathBuf::from(path).join(feature::METADATA_FILE);
        return Ok(Fetched {
            file: Some(File::Feature(workspace::read_text(&file)?)),
            ..Fetched::default()
        });
    }
    registry
        .feature(wanted)
        .with_context(|| format!("failed to read the Feature `{}`", wanted.source))
}

fn label(labels: &BTreeMap<String, String>) -> Option<&str> {
    let text = labels.get(metadata::LABEL)?;
    Some(text.as_str()).filter(|text| !text.is_empty())
}

fn read_if_there(path: &str) -> Result<Option<String>, WorkspaceError> {
    let path = Path::new(path);
    if workspace::is_file(path) {
        workspace::read_text(path).map(Some)
    } else {
        Ok(None)
    }
}

/// The files that Compose takes in a folder when none is named.
fn usual_compose_files(folder: &str) -> Vec<String> {
    let first = |names: [&str; 4]| {
        let mut paths = names.map(|name| format!("{folder}/{name}")).into_iter();
        paths.find(|path| workspace::is_file(Path::new(path)))
    };
    let main = first([
        "compose.yaml",
        "compose.yml",
        "docker-compose.yml",
        "docker-compose.yaml",
    ]);
    let over = first([
        "compose.override.yml",
        "compose.override.yaml",
        "docker-compose.override.yml",
        "docker-compose.override.yaml",
    ]);
    let main = main.unwrap_or_else(|| format!("{folder}/docker-compose.yml"));
    std::iter::once(main).chain(over).collect()
}
