//! Full disks, read-only disks and kills: the old state or the new one, and nothing between.

use crate::support::{Entry, folder, names, program, run, scaffold, snapshot, tool};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How often each kind of folder is killed.
const KILLS: u32 = 220;

type State = BTreeMap<String, Entry>;

/// What the folder holds after `new` has done its work undisturbed on what `prepare` put there.
fn finished(prepare: fn(&Path)) -> (State, Duration) {
    let dir = folder();
    prepare(dir.path());
    let start = Instant::now();
    run(dir.path(), &["new", "demo", "--force"]).succeeds();
    (snapshot(dir.path()), start.elapsed())
}

fn nothing(_: &Path) {}

fn a_project_with_a_file_in_the_way(dir: &Path) {
    fs::create_dir_all(dir.join("demo/src/demo")).unwrap();
    fs::write(dir.join("demo/README.md"), "mine").unwrap();
    fs::write(dir.join("demo/src/demo/mine.py"), "x = 1\n").unwrap();
}

/// Kills `new` at moments spread over its whole run; afterwards, the next command finds or makes one of two states.
fn kill_at_every_moment(prepare: fn(&Path)) {
    let (after, whole) = finished(prepare);
    let dir = folder();
    prepare(dir.path());
    let before = snapshot(dir.path());
    let mut seen = [0, 0];
    for turn in 0..KILLS {
        let dir = folder();
        prepare(dir.path());
        let mut child = scaffold(dir.path())
            .args(["new", "demo", "--force", "--quiet"])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(whole.mul_f64(f64::from(turn) / f64::from(KILLS)));
        child.kill().unwrap();
        child.wait().unwrap();
        // A project that appears by renaming is whole before anybody comes after; one that was there is mended by the
        // next command, which then either finds everything in place or the old file in the way.
        if dir.path().join("demo").is_dir() {
            let next = run(dir.path(), &["new", "demo"]);
            assert!(
                next.code == 0 || next.stderr.contains("README.md: is there and differs"),
                "{}",
                next.stderr
            );
        }
        let mut state = snapshot(dir.path());
        state.retain(|path, _| !path.starts_with(".scaffold-new-"));
        assert!(
            state == before || state == after,
            "turn {turn}: {:?}",
            state.keys()
        );
        seen[usize::from(state == after)] += 1;
        // And the command that was killed can be given again, and leaves nothing of the first one.
        run(dir.path(), &["new", "demo", "--force"]).succeeds();
        let state = snapshot(dir.path());
        assert!(state == after, "turn {turn}: {:?}", state.keys());
    }
    assert!(seen[0] > 0, "no kill came before the end");
}

#[test]
fn a_kill_leaves_no_half_made_folder() {
    kill_at_every_moment(nothing);
}

#[test]
fn a_kill_leaves_no_half_written_project() {
    kill_at_every_moment(a_project_with_a_file_in_the_way);
}

/// Runs `script` with a folder `$dir` on a file system of its own, which goes away with it.
fn on_a_small_disk(size: &str, script: &str) -> String {
    let dir = folder();
    let mount = format!("mount -t tmpfs -o size={size} tmpfs \"$dir\" && cd \"$dir\" && {script}");
    let mut command = Command::new("unshare");
    command.args(["--mount", "--map-root-user", "sh", "-eu", "-c", &mount]);
    command
        .env("dir", dir.path())
        .env("scaffold", program())
        .env("NO_COLOR", "1");
    tool(&mut command)
}

#[test]
#[ignore = "needs to mount a file system"]
fn a_full_disk_leaves_the_folder_as_it_was() {
    for pages in 0..40 {
        let size = format!("{}k", 4 + 4 * pages);
        let script = "mkdir kept; echo mine > kept/README.md; find . -type f -exec cksum {} + | sort > /tmp/$$.before\n\
            if \"$scaffold\" new fresh --quiet 2> /tmp/$$.err; then echo fresh written; else grep -q 'No space left' /tmp/$$.err; test ! -e fresh; fi\n\
            rm -rf fresh\n\
            if \"$scaffold\" new kept --force --quiet 2> /tmp/$$.err; then echo kept written; else grep -q 'No space left' /tmp/$$.err; \
            find . -type f -exec cksum {} + | sort | cmp - /tmp/$$.before; fi\n\
            ls -A; rm -f /tmp/$$.before /tmp/$$.err";
        let said = on_a_small_disk(&size, script);
        assert!(
            said.ends_with("kept\n") && !said.contains(".scaffold"),
            "{size}: {said}"
        );
        if pages == 0 {
            assert_eq!(said, "kept\n");
        }
        if pages == 39 {
            assert_eq!(said, "fresh written\nkept written\nkept\n");
        }
    }
}

#[test]
#[ignore = "needs to mount a file system"]
fn a_disk_that_cannot_be_written_is_named() {
    let script = "mkdir kept; mount -o remount,ro \"$dir\"\n\
        for target in fresh kept .; do \"$scaffold\" new $target --name demo 2>&1 && exit 1; done; ls -A";
    let said = on_a_small_disk("1m", script);
    assert_eq!(said.matches("Read-only file system").count(), 3, "{said}");
    assert_eq!(
        said.matches("choose a folder that you may write to")
            .count(),
        3,
        "{said}"
    );
    assert!(said.ends_with("\nkept\n"), "{said}");
}

#[test]
fn what_a_killed_command_left_beside_the_folder_is_swept() {
    let dir = folder();
    fs::create_dir(dir.path().join("demo")).unwrap();
    let abandon = |name: &str| {
        let folder = dir.path().join(name);
        fs::create_dir_all(folder.join("src")).unwrap();
        let lock = fs::File::create(dir.path().join(format!("{name}.lock"))).unwrap();
        (folder, lock)
    };
    let (used, lock) = abandon(".scaffold-new-1-1");
    lock.lock().unwrap();
    for target in ["demo", "other"] {
        let (abandoned, _) = abandon(".scaffold-new-1-0");
        run(dir.path(), &["new", target]).succeeds();
        assert!(!abandoned.exists() && used.exists(), "{target}");
    }
    assert!(!dir.path().join(".scaffold-new-1-0.lock").exists());
}

#[test]
fn a_second_command_waits_for_nobody_and_breaks_nothing() {
    let dir = folder();
    fs::create_dir(dir.path().join("demo")).unwrap();
    let journal = dir.path().join("demo/.scaffold-journal");
    fs::create_dir(&journal).unwrap();
    let lock = fs::File::create(journal.join("lock")).unwrap();
    lock.lock().unwrap();
    run(dir.path(), &["new", "demo"]).fails_with("another scaffold is writing to");
    drop(lock);
    run(dir.path(), &["new", "demo"]).succeeds();
    assert!(!journal.exists());
}

/// A journal as a repository could bring it along: `plan` in it, and a staged file.
fn hostile(dir: &Path, plan: &str) -> PathBuf {
    let journal = dir.join("demo/.scaffold-journal");
    fs::create_dir_all(journal.join("new")).unwrap();
    fs::create_dir_all(journal.join("old")).unwrap();
    fs::write(journal.join("new/0"), "evil").unwrap();
    fs::write(journal.join("old/0"), "evil").unwrap();
    fs::write(journal.join("plan.json"), plan).unwrap();
    journal
}

#[test]
fn a_journal_that_came_along_moves_nothing() {
    let places = [
        "../escaped",
        "link/escaped",
        ".git/hooks/post-checkout",
        "README.md",
    ];
    for (place, old) in places
        .into_iter()
        .flat_map(|place| [(place, "null"), (place, "\"x\"")])
    {
        let (dir, outside) = (folder(), folder());
        let plan = format!(
            r#"{{ "format": 1, "identity": "1", "folders": [], "moves": [{{ "path": "{place}", "old": {old}, "new": "" }}] }}"#
        );
        hostile(dir.path(), &plan);
        symlink(outside.path(), dir.path().join("demo/link")).unwrap();
        let before = snapshot(dir.path());
        run(dir.path(), &["new", "demo"]).fails_with("is no journal of an interrupted command");
        let mut after = snapshot(dir.path());
        after.retain(|path, _| !path.ends_with("/lock"));
        assert_eq!(after, before, "{place}");
        assert_eq!(names(outside.path()), Vec::<String>::new(), "{place}");
        // What only reads looks at no journal at all.
        run(&dir.path().join("demo"), &["list"]).succeeds();
    }
}

#[test]
fn a_lock_that_is_a_link_is_not_followed() {
    let (dir, outside) = (folder(), folder());
    let journal = hostile(dir.path(), "{}");
    let victim = outside.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    symlink(&victim, journal.join("lock")).unwrap();
    run(dir.path(), &["new", "demo"]).fails_with("its lock is no file");
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
}

#[test]
fn commands_beside_each_other_do_not_disturb_each_other() {
    let dir = folder();
    let children: Vec<_> = (0..24)
        .map(|number| {
            let mut command = scaffold(dir.path());
            command
                .args(["new", &format!("demo{number}"), "--quiet"])
                .stderr(Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 24);
}

/// Kills at a system call that is named, which needs strace.
mod traced {
    use super::{a_project_with_a_file_in_the_way, finished};
    use crate::support::{folder, program, run, snapshot};
    use std::fs;
    use std::path::Path;
    use std::process::Command;

    /// Stops `new` by a signal at its `when`-th call of `call`, as a kill would.
    fn stop_at(dir: &Path, call: &str, when: u32) {
        let inject = format!("inject={call}:signal=KILL:when={when}");
        let mut command = Command::new("strace");
        command.args([
            "-f",
            "-qq",
            "-o",
            "/dev/null",
            "-e",
            &format!("trace={call}"),
            "-e",
            &inject,
        ]);
        command
            .arg(program())
            .args(["new", "demo", "--force", "--quiet"])
            .current_dir(dir);
        assert!(!command.status().unwrap().success());
    }

    #[test]
    #[ignore = "needs strace"]
    fn what_a_person_did_after_a_kill_stays() {
        let dir = folder();
        fs::create_dir(dir.path().join("demo")).unwrap();
        fs::write(dir.path().join("demo/mine"), "").unwrap();
        stop_at(dir.path(), "linkat,link", 9);
        let first = dir.path().join("demo/.gitignore");
        fs::write(&first, "edited").unwrap();
        let later = dir.path().join("demo/requirements.in");
        fs::write(&later, "numpy").unwrap();
        run(dir.path(), &["new", "demo"]).fails_with("requirements.in: is there and differs");
        assert_eq!(fs::read_to_string(&first).unwrap(), "edited");
        assert_eq!(fs::read_to_string(&later).unwrap(), "numpy");
        assert!(!dir.path().join("demo/.scaffold-journal").exists());
    }

    /// Every call that changes a disk, in groups that Linux knows by several names.
    const CALLS: [&str; 4] = [
        "rename,renameat,renameat2",
        "link,linkat",
        "unlink,unlinkat,rmdir",
        "mkdir,mkdirat",
    ];

    /// Runs `new` with `faults` injected, and returns whether it says that it succeeded.
    fn run_with(dir: &Path, faults: &[String]) -> bool {
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-o", "/dev/null"]);
        command.args(["-e", &format!("trace={}", CALLS.join(","))]);
        for fault in faults {
            command.args(["-e", &format!("inject={fault}")]);
        }
        command.arg(program()).args(["new", "demo", "--force"]);
        let output = command.current_dir(dir).output().unwrap();
        output.status.success()
    }

    #[test]
    #[ignore = "needs strace"]
    fn a_kill_at_each_system_call_leaves_the_old_state_or_the_new_one() {
        let states = states();
        for call in CALLS {
            for when in 1..24 {
                let dir = folder();
                a_project_with_a_file_in_the_way(dir.path());
                run_with(dir.path(), &[format!("{call}:signal=KILL:when={when}")]);
                run(dir.path(), &["new", "demo"]);
                states.check(dir.path(), &format!("{call} {when}"));
            }
        }
    }

    #[test]
    #[ignore = "needs strace"]
    fn an_error_of_each_system_call_leaves_the_old_state_or_the_new_one() {
        let states = states();
        for (call, when) in CALLS
            .into_iter()
            .flat_map(|call| (1..24).map(move |when| (call, when)))
        {
            states.survive_an_error(&format!("{call}:error=ENOSPC:when={when}"));
            states.survive_an_error(&format!("{call}:error=EIO:when={when}"));
        }
    }

    #[test]
    #[ignore = "needs strace"]
    fn a_kill_while_an_error_is_undone_leaves_the_old_state_or_the_new_one() {
        let states = states();
        let [rename, link, unlink, mkdir] = CALLS;
        // A second fault on one call takes the place of the first.
        for (error, call) in [
            (mkdir, rename),
            (mkdir, unlink),
            (link, rename),
            (link, unlink),
            (link, mkdir),
        ] {
            for (first, second) in [4, 6]
                .into_iter()
                .flat_map(|first| (1..12).map(move |second| (first, second)))
            {
                let dir = folder();
                a_project_with_a_file_in_the_way(dir.path());
                let error = format!("{error}:error=ENOSPC:when={first}");
                let kill = format!("{call}:signal=KILL:when={second}");
                let what = format!("{error} {kill}");
                run_with(dir.path(), &[error, kill]);
                run(dir.path(), &["new", "demo"]);
                states.check(dir.path(), &what);
            }
        }
    }

    struct States {
        before: super::State,
        after: super::State,
    }

    fn states() -> States {
        let dir = folder();
        a_project_with_a_file_in_the_way(dir.path());
        States {
            before: snapshot(dir.path()),
            after: finished(a_project_with_a_file_in_the_way).0,
        }
    }

    impl States {
        /// Asserts that `new` with this fault does all or nothing, and says which.
        fn survive_an_error(&self, fault: &str) {
            let dir = folder();
            a_project_with_a_file_in_the_way(dir.path());
            let done = run_with(dir.path(), &[fault.to_owned()]);
            let is_stuck = dir.path().join("demo/.scaffold-journal/undo.json").exists();
            let mut state = snapshot(dir.path());
            // What could not be removed is no harm, and a later command removes it.
            state.retain(|path, _| !path.contains(".scaffold-"));
            let expected = if done { &self.after } else { &self.before };
            let is_whole = is_stuck || state == *expected;
            assert!(is_whole, "{fault} {done}: {:?}", state.keys());
            run(dir.path(), &["new", "demo"]);
            self.check(dir.path(), fault);
        }

        /// Asserts that `dir` is in one of the two states.
        fn check(&self, dir: &Path, what: &str) {
            let state = snapshot(dir);
            assert!(
                state == self.before || state == self.after,
                "{what}: {:?}",
                state.keys()
            );
        }
    }

    #[test]
    #[ignore = "needs strace"]
    fn an_edit_after_a_kill_is_not_replaced() {
        let dir = folder();
        a_project_with_a_file_in_the_way(dir.path());
        // The second rename moves the old README away; the kill comes before it.
        run_with(
            dir.path(),
            &["rename,renameat,renameat2:signal=KILL:when=2".to_owned()],
        );
        let readme = dir.path().join("demo/README.md");
        fs::write(&readme, "mine, and edited since").unwrap();
        run(dir.path(), &["new", "demo"]).fails_with("README.md: is there and differs");
        assert_eq!(
            fs::read_to_string(&readme).unwrap(),
            "mine, and edited since"
        );
    }
}
