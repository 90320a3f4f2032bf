//! A registry that wants a login: for what is pushed, pulled and built on, in each of the ways in which docker's client keeps credentials.

use super::{Desk, setting};
use crate::support::Run;
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

/// What `docker login` notes, and what a program that keeps credentials is asked and answers.
const HELPER: &str = "#!/bin/sh
read -r registry
[ \"$1\" = get ] && [ \"$registry\" = REGISTRY ] || { echo credentials not found in native keychain; exit 1; }
echo '{ \"ServerURL\": \"REGISTRY\", \"Username\": \"USER\", \"Secret\": \"PASSWORD\" }'
";

struct Private {
    desk: Desk,
    registry: String,
    user: String,
    password: String,
}

impl Private {
    fn new(name: &str) -> Self {
        let login = setting("SCAFFOLD_LAB_PRIVATE_LOGIN");
        let (user, password) = login.split_once(':').unwrap();
        let private = Self {
            desk: Desk::demo(name, "{}"),
            registry: setting("SCAFFOLD_LAB_PRIVATE_REGISTRY"),
            user: user.to_owned(),
            password: password.to_owned(),
        };
        let folders = ["docker", "bin"].map(|folder| private.desk.folder.join(folder));
        private
            .desk
            .run(Command::new("mkdir").args(&folders))
            .succeeds();
        let helper = HELPER.replace("REGISTRY", &private.registry);
        let helper = helper.replace("USER", user).replace("PASSWORD", password);
        let path = private.desk.folder.join("bin/docker-credential-lab");
        fs::write(&path, helper).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        private
    }

    /// What the docker client's configuration may say, and what is meant.
    fn ways(&self) -> [serde_json::Value; 3] {
        let auth = tool(
            &["base64", "-w0"],
            &format!("{}:{}", self.user, self.password),
        );
        [
            json!({ "auths": { &self.registry: { "auth": auth } } }),
            json!({ "credHelpers": { &self.registry: "lab" } }),
            json!({ "credsStore": "lab" }),
        ]
    }

    fn configure(&self, config: &serde_json::Value, project: &str) {
        let file = self.desk.folder.join("docker/config.json");
        fs::write(file, config.to_string()).unwrap();
        fs::write(self.desk.folder.join("demo/.devcontainer.json"), project).unwrap();
    }

    fn scaffold(&self, environment: &[&str], args: &[&str]) -> Run {
        let folder = self.desk.folder.display();
        let mut command = Command::new("env");
        command
            .arg(format!("DOCKER_CONFIG={folder}/docker"))
            .arg(format!(
                "PATH={folder}/bin:{}",
                setting("SCAFFOLD_LAB_PATH")
            ))
            .args(environment)
            .arg(self.desk.program())
            .args(args);
        self.desk.run(command.current_dir(&self.desk.folder))
    }

    fn forget(&self, image: &str) {
        self.desk.docker(&["rmi", "--force", image]);
    }
}

fn tool(line: &[&str], input: &str) -> String {
    let mut command = Command::new("sh");
    command
        .args(["-c", "printf %s \"$0\" | \"$@\"", input])
        .args(line);
    crate::support::tool(&mut command)
}

#[test]
#[ignore = "needs an engine"]
fn an_image_behind_a_password_is_pushed_pulled_and_built_on() {
    let private = Private::new("logins");
    let image = format!("{}/private/base:1", private.registry);
    let built = format!("{}/private/built:1", private.registry);
    let dockerfile = format!("FROM {image}\nRUN true\n");
    fs::write(private.desk.folder.join("demo/Dockerfile"), dockerfile).unwrap();
    let plain = r#"{ "image": "debian:bookworm-slim", "userEnvProbe": "none" }"#;
    let of_image = format!("{{ \"image\": \"{image}\", \"userEnvProbe\": \"none\" }}");
    let of_file = r#"{ "build": { "dockerfile": "Dockerfile" }, "userEnvProbe": "none" }"#;
    // Nobody pushes and pulls without a login, and the way out is told.
    private.configure(&json!({}), plain);
    let refused = private.scaffold(&[], &["build", "demo", "--tag", &image, "--push"]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(
        refused.stderr.contains("hint: `docker login"),
        "{}",
        refused.stderr
    );
    for way in private.ways() {
        private.configure(&way, plain);
        private
            .scaffold(&[], &["build", "demo", "--tag", &image, "--push"])
            .succeeds();
        private.forget(&image);
        private.configure(&json!({}), &of_image);
        let refused = private.scaffold(&[], &["up", "demo"]);
        assert_eq!(refused.code, 2, "{}", refused.stderr);
        assert!(
            refused.stderr.contains("hint: `docker login"),
            "{}",
            refused.stderr
        );
        private.configure(&way, &of_image);
        private.scaffold(&[], &["up", "demo"]).succeeds();
        private.scaffold(&[], &["down", "demo"]).succeeds();
        private.forget(&image);
        private.configure(&way, of_file);
        for builder in ["DOCKER_BUILDKIT=1", "DOCKER_BUILDKIT=0"] {
            let args = ["build", "demo", "--no-cache", "--pull", "--tag", &built];
            private.scaffold(&[builder], &args).succeeds();
            private.forget(&built);
            private.forget(&image);
        }
    }
}
