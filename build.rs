//! Tells the compiler what `include_dir!` does not: that a template came or went, and which of its files are executable.
#![expect(
    clippy::disallowed_methods,
    reason = "a build script reads its own source tree"
)]

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=templates");
    let mut executables = Vec::new();
    collect(Path::new("templates"), &mut executables)?;
    executables.sort();
    let list: Vec<String> = executables
        .iter()
        .map(|path| format!("    {path:?},"))
        .collect();
    let list = list.join("\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it for build scripts"));
    fs::write(out.join("executables.rs"), format!("&[\n{list}\n]\n"))
}

/// Adds the executable files below `folder` to `found`, as paths from `templates/`.
fn collect(folder: &Path, found: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let kind = entry.file_type()?;
        assert!(
            !kind.is_symlink(),
            "{}: a template holds no symbolic link",
            path.display()
        );
        if kind.is_dir() {
            collect(&path, found)?;
        } else if is_executable(&path)? {
            let path = path.strip_prefix("templates").expect("it was found there");
            let parts = path.iter().map(|part| part.to_string_lossy());
            found.push(parts.collect::<Vec<_>>().join("/"));
        }
    }
    Ok(())
}

#[cfg(unix)]
fn is_executable(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    Ok(fs::metadata(path)?.permissions().mode() & 0o111 != 0)
}

/// Where a file system keeps no such bit, what begins with `#!` is executable.
#[cfg(not(unix))]
fn is_executable(path: &Path) -> io::Result<bool> {
    Ok(fs::read(path)?.starts_with(b"#!"))
}
