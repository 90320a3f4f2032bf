//! Where the project lies in the container, and what is mounted there.

use super::script::is_given;
use super::variable::basename;
use serde_json::{Map, Value};

/// The folder below which projects are mounted when the configuration names none
/// (specification, "workspaceMount", "workspaceFolder": the default is below `/workspaces`).
const WORKSPACES: &str = "/workspaces";

/// Where the project lies, and how it gets there.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WorkspaceFolder {
    /// The path in the container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) workspace_folder: Option<Value>,
    /// The mount, in the form of `docker run --mount`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) workspace_mount: Option<Value>,
}

impl WorkspaceFolder {
    /// The value of `workspaceFolder` or `workspaceMount`, whether it was written or decided.
    pub(crate) fn get(&self, property: &str) -> Option<&Value> {
        match property {
            "workspaceFolder" => self.workspace_folder.as_ref(),
            "workspaceMount" => self.workspace_mount.as_ref(),
            _ => None,
        }
    }
}

/// A folder of the host and what git says of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HostFolder<'a> {
    /// The absolute path of the workspace folder.
    pub(crate) path: &'a str,
    /// The root of the git repository that it lies in: the folder that is mounted.
    pub(crate) git_root: Option<&'a str>,
}

/// The folder and the mount that `config` says, or the defaults for `host`.
pub(crate) fn workspace_folder(
    config: &Map<String, Value>,
    host: HostFolder<'_>,
) -> WorkspaceFolder {
    let named = config
        .get("workspaceFolder")
        .filter(|value| is_given(value));
    if config.contains_key("dockerComposeFile") {
        return WorkspaceFolder {
            workspace_folder: Some(named.cloned().unwrap_or_else(|| "/".into())),
            workspace_mount: None,
        };
    }
    let mounted = host.git_root.unwrap_or(host.path);
    let target = join(WORKSPACES, basename(mounted));
    let folder = named.cloned().unwrap_or_else(|| {
        let below = host.path.strip_prefix(mounted).unwrap_or_default();
        join(&target, below).into()
    });
    let mount = match config.get("workspaceMount") {
        Some(mount) => mount.clone(),
        None => mount(mounted, &target).into(),
    };
    WorkspaceFolder {
        workspace_folder: Some(folder),
        workspace_mount: Some(mount),
    }
}

/// A bind mount; a path with a comma is quoted, since the fields are CSV.
fn mount(source: &str, target: &str) -> String {
    let field = |name: &str, path: &str| {
        let quote = if path.contains(',') { "\"" } else { "" };
        format!("{quote}{name}={path}{quote}")
    };
    format!(
        "type=bind,{},{}",
        field("source", source),
        field("target", target)
    )
}

fn join(folder: &str, below: &str) -> String {
    match below.trim_matches('/') {
        "" => folder.to_owned(),
        below => format!("{folder}/{below}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(config: &Value, host: HostFolder<'_>, folder: &Value, mount: &Value) {
        let config = config.as_object().unwrap();
        let found = workspace_folder(config, host);
        assert_eq!(
            found.workspace_folder.unwrap_or_default(),
            *folder,
            "{config:?}"
        );
        assert_eq!(
            found.workspace_mount.unwrap_or_default(),
            *mount,
            "{config:?}"
        );
    }

    #[test]
    fn the_root_of_the_repository_is_mounted() {
        let plain = HostFolder {
            path: "/home/me/demo",
            git_root: None,
        };
        let inner = HostFolder {
            path: "/home/me/demo/a/b",
            git_root: Some("/home/me/demo"),
        };
        let odd = HostFolder {
            path: "/a,b",
            git_root: None,
        };
        let bind = json!("type=bind,source=/home/me/demo,target=/workspaces/demo");
        check(&json!({}), plain, &json!("/workspaces/demo"), &bind);
        check(&json!({}), inner, &json!("/workspaces/demo/a/b"), &bind);
        check(
            &json!({ "workspaceFolder": "/srv" }),
            plain,
            &json!("/srv"),
            &bind,
        );
        check(
            &json!({ "workspaceFolder": "/srv", "workspaceMount": "" }),
            plain,
            &json!("/srv"),
            &json!(""),
        );
        check(
            &json!({ "dockerComposeFile": "c.yml" }),
            plain,
            &json!("/"),
            &Value::Null,
        );
        check(
            &json!({}),
            odd,
            &json!("/workspaces/a,b"),
            &json!("type=bind,\"source=/a,b\",\"target=/workspaces/a,b\""),
        );
    }
}
