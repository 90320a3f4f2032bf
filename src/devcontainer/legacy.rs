//! Properties that once belonged at the top, and are read there still.

use super::script::{as_list, as_members, is_given};
use serde_json::{Map, Value};

/// Moves `extensions`, `settings` and `devPort` of devcontainer.json to `customizations.vscode`.
///
/// What is not of the type that it should be is treated as the reference treats it, JavaScript's truth included.
pub(crate) fn fold(config: Map<String, Value>) -> Map<String, Value> {
    let mut config = fold_customizations(config);
    let Some(port) = config.get("devPort").cloned() else {
        return config;
    };
    if let Some(vscode) = vscode(&mut config)
        && vscode.contains_key("devPort")
    {
        return config;
    }
    let mut lost = Map::new();
    let vscode = vscode(&mut config).unwrap_or(&mut lost);
    vscode.insert("devPort".to_owned(), port);
    config.shift_remove("devPort");
    config
}

/// Moves `extensions` and `settings`, which Features have had too.
pub(crate) fn fold_customizations(mut config: Map<String, Value>) -> Map<String, Value> {
    let mut take = |name: &str| {
        let is_given = config.get(name).is_some_and(is_given);
        is_given.then(|| config.shift_remove(name)).flatten()
    };
    let (extensions, settings) = (take("extensions"), take("settings"));
    if extensions.is_none() && settings.is_none() {
        return config;
    }
    let mut lost = Map::new();
    let vscode = vscode(&mut config).unwrap_or(&mut lost);
    if let Some(old) = extensions {
        let mut all = as_list(vscode.shift_remove("extensions").filter(is_given));
        all.append(&mut as_list(Some(old)));
        vscode.insert("extensions".to_owned(), Value::Array(all));
    }
    if let Some(old) = settings {
        let new = vscode.shift_remove("settings").map(as_members);
        let mut all = as_members(old);
        all.extend(new.unwrap_or_default());
        vscode.insert("settings".to_owned(), Value::Object(all));
    }
    config
}

/// `customizations.vscode`, made where nothing is given; `None` where something else is, on which properties are lost.
fn vscode(config: &mut Map<String, Value>) -> Option<&mut Map<String, Value>> {
    object_at(object_at(config, "customizations")?, "vscode")
}

fn object_at<'a>(
    map: &'a mut Map<String, Value>,
    name: &str,
) -> Option<&'a mut Map<String, Value>> {
    if !map.get(name).is_some_and(is_given) {
        map.insert(name.to_owned(), Value::Object(Map::new()));
    }
    map.get_mut(name)?.as_object_mut()
}
