//! devcontainer.json → what a builder is asked for.

use super::build_plan::{BuildPlan, Cache, Pull};
use super::compose::join;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// What a container is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Base {
    /// An image that is to be built, and the options of `docker build` that have no meaning here.
    Dockerfile(Box<BuildPlan>, Vec<String>),
    /// An image that is there, or at a registry.
    Image(String),
    /// A service of Compose.
    Compose,
    /// Nothing.
    None,
}

/// What the configuration in `config_folder` is made of (dev container reference, "Image or Dockerfile specific properties").
pub(crate) fn base(config: &Map<String, Value>, config_folder: &str) -> Base {
    let build = config.get("build");
    let of_build = |name: &str| build.and_then(|build| build.get(name));
    let text = |value: Option<&Value>| {
        let text = value.and_then(Value::as_str);
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let dockerfile = text(config.get("dockerFile")).or_else(|| text(of_build("dockerfile")));
    let Some(dockerfile) = dockerfile else {
        return match text(config.get("image")) {
            _ if config.contains_key("dockerComposeFile") => Base::Compose,
            Some(image) => Base::Image(image),
            None => Base::None,
        };
    };
    let dockerfile = join(config_folder, &dockerfile);
    let context = text(config.get("context")).or_else(|| text(of_build("context")));
    let context = match context {
        Some(context) => join(config_folder, &context),
        // The reference takes the folder of the Dockerfile.
        None => dockerfile
            .rsplit_once('/')
            .map_or("/", |(folder, _)| folder)
            .to_owned(),
    };
    let args = of_build("args").and_then(Value::as_object);
    let args = args.into_iter().flatten();
    let args = args.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    let mut plan = BuildPlan {
        context,
        dockerfile,
        args: args.collect(),
        target: text(of_build("target")),
        cache_from: texts(of_build("cacheFrom")),
        ..BuildPlan::default()
    };
    let unknown = take_options(&mut plan, &texts(of_build("options")));
    Base::Dockerfile(Box::new(plan), unknown)
}

/// A text, or a list of texts.
fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(texts)) => {
            let texts = texts.iter().filter_map(Value::as_str);
            texts.map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

/// Puts into the plan what options of `docker build` say; those are returned that say nothing to the engine's API.
fn take_options(plan: &mut BuildPlan, options: &[String]) -> Vec<String> {
    let mut unknown = Vec::new();
    let mut options = options.iter();
    while let Some(option) = options.next() {
        let (name, joined) = match option.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (option.as_str(), None),
        };
        match (name, joined.as_deref()) {
            ("--no-cache", None | Some("true")) => plan.cache = Cache::Ignore,
            ("--pull", None | Some("true")) => plan.pull = Pull::Always,
            // What is shown is for us to say.
            ("--quiet" | "-q", None | Some("true")) => {}
            _ if !VALUED.contains(&name) => unknown.push(option.clone()),
            _ => match joined.or_else(|| options.next().cloned()) {
                Some(value) => take_option(plan, name, value),
                None => unknown.push(option.clone()),
            },
        }
    }
    unknown
}

/// The options that have a value, and a meaning for the engine's API.
const VALUED: &[&str] = &[
    "--add-host",
    "--build-arg",
    "--cache-from",
    "--label",
    "--network",
    "--platform",
    "--progress",
    "--tag",
    "--target",
    "-t",
];

fn take_option(plan: &mut BuildPlan, name: &str, value: String) {
    let pair = |value: String| match value.split_once('=') {
        Some((name, value)) => (name.to_owned(), value.to_owned()),
        None => (value, String::new()),
    };
    match name {
        "--add-host" => plan.extra_hosts.push(value.replacen('=', ":", 1)),
        "--build-arg" => plan.args.extend([pair(value)]),
        "--cache-from" => plan.cache_from.push(value),
        "--label" => plan.labels.extend([pair(value)]),
        "--network" => plan.network = Some(value),
        "--platform" => plan.platform = Some(value),
        "--tag" | "-t" => plan.tags.push(value),
        "--target" => plan.target = Some(value),
        _ => {}
    }
}

/// The name by which dev container tools know the image that is made for `folder`.
pub(crate) fn image_name(folder: &str) -> String {
    let name = folder.rsplit('/').next().unwrap_or_default();
    let mut whole = format!("vsc-{name}-");
    for byte in Sha256::digest(folder) {
        let _ = write!(whole, "{byte:02x}");
    }
    sound(&whole)
}

/// A name that an image can have: separators do not follow one another (distribution's `reference`, "path-component").
fn sound(name: &str) -> String {
    let mut sound = String::new();
    for c in name.to_lowercase().chars() {
        let is_separator = ['.', '_', '-'].contains(&c);
        let follows = sound.ends_with(['.', '_', '-']);
        // Dashes, and two underscores, may.
        let may_follow = (c == '-' && sound.ends_with('-'))
            || (c == '_' && sound.ends_with('_') && !sound.ends_with("__"));
        let counts = c.is_ascii_lowercase() || c.is_ascii_digit();
        if counts || (is_separator && (!follows || may_follow)) {
            sound.push(c);
        }
    }
    sound
}

/// The proxies of the docker client's configuration, as its `build` gives them to every RUN and no layer keeps them: those for the engine at
/// `host`, or the default ones (docker's documentation, "Use a proxy server with the Docker CLI").
pub(crate) fn add_proxies(plan: &mut BuildPlan, client: &Value, host: &str) {
    const NAMES: &[(&str, &str)] = &[
        ("httpProxy", "HTTP_PROXY"),
        ("httpsProxy", "HTTPS_PROXY"),
        ("noProxy", "NO_PROXY"),
        ("ftpProxy", "FTP_PROXY"),
        ("allProxy", "ALL_PROXY"),
    ];
    let Some(proxies) = client.get("proxies") else {
        return;
    };
    let proxies = proxies.get(host).or_else(|| proxies.get("default"));
    for (property, name) in NAMES {
        let value = proxies.and_then(|proxies| proxies.get(property)?.as_str());
        let Some(value) = value.filter(|value| !value.is_empty()) else {
            continue;
        };
        for name in [(*name).to_owned(), name.to_lowercase()] {
            plan.args.entry(name).or_insert_with(|| value.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn base_of(config: &Value) -> Base {
        base(config.as_object().unwrap(), "/p/.devcontainer")
    }

    #[test]
    fn a_configuration_is_built_of_what_it_names() {
        let build = json!({ "build": {
            "dockerfile": "../docker/Dockerfile",
            "args": { "A": "b" },
            "target": "dev",
            "cacheFrom": "x:1",
            "options": ["--network=host", "--add-host", "a=1.2.3.4", "--ssh", "--label", "c=d", "--no-cache"],
        } });
        let Base::Dockerfile(plan, unknown) = base_of(&build) else {
            panic!("it has a Dockerfile");
        };
        assert_eq!(plan.context, "/p/docker");
        assert_eq!(plan.dockerfile, "/p/docker/Dockerfile");
        assert_eq!(plan.args["A"], "b");
        assert_eq!(plan.target.as_deref(), Some("dev"));
        assert_eq!(plan.cache_from, ["x:1"]);
        assert_eq!(plan.network.as_deref(), Some("host"));
        assert_eq!(plan.extra_hosts, ["a:1.2.3.4"]);
        assert_eq!(plan.labels["c"], "d");
        assert_eq!(plan.cache, Cache::Ignore);
        assert_eq!(unknown, ["--ssh"]);
        let Base::Dockerfile(plan, _) = base_of(&json!({ "dockerFile": "D", "context": ".." }))
        else {
            panic!("it has a Dockerfile");
        };
        assert_eq!(
            (plan.context.as_str(), plan.dockerfile.as_str()),
            ("/p", "/p/.devcontainer/D")
        );
        assert_eq!(
            base_of(&json!({ "image": "x" })),
            Base::Image("x".to_owned())
        );
        assert_eq!(
            base_of(&json!({ "image": "x", "dockerComposeFile": "y" })),
            Base::Compose
        );
        assert_eq!(base_of(&json!({})), Base::None);
    }

    #[test]
    fn the_image_has_the_name_that_the_reference_gives_it() {
        let hash = "67f39dc14a73cb2b0808b08c0314853fd3e3895abed8035a1ede98899b4ee2a0";
        assert_eq!(
            image_name("/tmp/wtb/ref/Docker File_x"),
            format!("vsc-dockerfile_x-{hash}")
        );
        assert_eq!(sound("vsc-.a._b__c___d--e"), "vsc-a.b__c__d--e");
    }

    #[test]
    fn proxies_are_arguments_unless_they_are_given() {
        let client = json!({ "proxies": {
            "default": { "httpProxy": "http://me:secret@proxy", "noProxy": "" },
            "tcp://other": { "httpProxy": "http://other" },
        } });
        let mut plan = BuildPlan::default();
        plan.args.insert("HTTP_PROXY".to_owned(), "mine".to_owned());
        add_proxies(&mut plan, &client, "unix:///x");
        assert_eq!(plan.args["HTTP_PROXY"], "mine");
        assert_eq!(plan.args["http_proxy"], "http://me:secret@proxy");
        assert_eq!(plan.args.len(), 2);
        let mut plan = BuildPlan::default();
        add_proxies(&mut plan, &client, "tcp://other");
        assert_eq!(plan.args["HTTP_PROXY"], "http://other");
    }
}
