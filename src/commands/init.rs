//! `driftlock init`.

use std::path::{Path, PathBuf};

use super::capture::{self, Meta};
use super::import;
use super::project::Project;
use crate::cli::init::Init;
use crate::error::Error;
use crate::exit::Exit;
use crate::explain::Catalogue;
use crate::gate::policy::{FILE, Policy};
use crate::gate::{read, template};
use crate::snapshot::file;

/// Writes a policy and the first lock. What is there is left, unless the user says otherwise.
pub fn run(args: &Init) -> Result<Exit, Error> {
    if !args.folder.is_dir() {
        return Err(Error::input(format!("`{}` is no folder", args.folder.display())));
    }
    let policy = match args.folder.as_path() {
        here if here == Path::new(".") => PathBuf::from(FILE),
        folder => folder.join(FILE),
    };
    let there = |path: &Path| std::fs::symlink_metadata(path).is_ok();
    let had_policy = there(&policy);
    let anew = !had_policy || args.force;
    let mut text = if anew { template::POLICY.to_owned() } else { import::text(&policy)? };
    // What is there must be sound before anything is written, whether or not it stays.
    let project = match anew {
        true => Project { folder: folder(args), policy: Policy::default(), rules: Catalogue::built_in() },
        false => Project::of(Some(&policy), None)?,
    };
    let mut lock = project.lock();
    let mut adds = false;
    if let Some(name) = &args.environment {
        check_name(name)?;
        match project.policy.environments.iter().find(|e| e.name == *name) {
            Some(declared) => lock = project.path(&declared.lock),
            None => {
                let below = format!("locks/{name}.lock");
                text.push_str(&template::environment(name, &below));
                lock = project.path(Path::new(&below));
                adds = true;
            }
        }
    }
    read::policy(&policy, &text, &project.rules)?;
    let writes_lock = !there(&lock) || args.force || args.renew;
    if !writes_lock && !anew && !adds {
        return Err(Error::input(format!("`{}` and `{}` are there already", policy.display(), lock.display()))
            .hint("`driftlock check` compares this machine with the lock\n`driftlock init --renew` writes the lock anew; --force writes both anew"));
    }
    if anew || adds {
        file::check_writable(&policy)?;
    }
    if writes_lock {
        if let Some(folder) = lock.parent().filter(|p| !p.as_os_str().is_empty()) {
            let made = std::fs::create_dir_all(folder);
            made.map_err(|e| Error::machine(format!("cannot make `{}`: {e}", folder.display())))?;
        }
        file::check_writable(&lock)?;
        let meta = Meta { label: args.environment.clone(), anonymous: args.anonymous, ..Meta::default() };
        let captured = project.capture(Vec::new(), &meta)?;
        capture::save(&captured, &lock)?;
    } else {
        anstream::eprintln!("kept  {}", lock.display());
    }
    if anew || adds {
        file::write(&policy, text.as_bytes())?;
        let verb = if anew { "wrote" } else { "added the environment to" };
        anstream::eprintln!("{verb} {}", policy.display());
    } else {
        anstream::eprintln!("kept  {}", policy.display());
    }
    anstream::eprintln!("Commit both; `driftlock check` compares a machine with the lock.");
    Ok(Exit::Clean)
}

fn folder(args: &Init) -> PathBuf {
    if args.folder == Path::new(".") { PathBuf::new() } else { args.folder.clone() }
}

/// A name becomes the name of a file.
fn check_name(name: &str) -> Result<(), Error> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || !name.chars().all(plain) || name.starts_with('.') {
        return Err(Error::input(format!("`{name}` is no name for an environment"))
            .hint("letters, digits, `-`, `_` and `.`"));
    }
    Ok(())
}
