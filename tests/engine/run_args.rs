//! `runArgs`: each flag of `docker run` beside the docker client.

use crate::support::{program, tool};
use std::process::Command;

/// Every case of `runArgs`: what is asked of an engine, and what the engine makes of it; and every flag of the client has a case.
#[test]
#[ignore = "needs an engine"]
fn a_flag_is_what_the_docker_client_makes_of_it() {
    let mut check = Command::new("tests/conformance/run_args/run");
    tool(
        check
            .args(["--engine", "--quiet", "--scaffold"])
            .arg(program()),
    );
}
