//! An MLflow run as the file store keeps it (`mlruns/EXPERIMENT/RUN`: `meta.yaml`, `params/`, `tags/`, `artifacts/`),
//! or a model's folder (`MLmodel`, `requirements.txt`, `conda.yaml`, `python_env.yaml`).

use std::path::Path;

use super::lock::{near, shown_url, values, yaml};
use super::{Draft, Format, Input, conda_env, requirements};
use crate::error::Error;
use crate::redact::{Labels, secret};
use crate::snapshot::Snapshot;

/// See the module.
pub(super) struct Mlflow;

/// How deep models lie below a run's artifacts.
const DEPTH: usize = 6;

impl Format for Mlflow {
    fn name(&self) -> &'static str {
        "mlflow"
    }

    fn title(&self) -> &'static str {
        "the folder of an MLflow run, or of a model"
    }

    fn recognise(&self, input: &Input<'_>) -> u8 {
        if !input.text.is_empty() {
            return 0;
        }
        let has = |name: &str| near::is_dir(&input.path.join(name));
        if near::is_file(&input.path.join("MLmodel")) {
            return 90;
        }
        if near::is_file(&input.path.join("meta.yaml")) && (has("params") || has("tags")) { 95 } else { 0 }
    }

    fn read(&self, input: &Input<'_>) -> Result<Snapshot, Error> {
        if !near::is_dir(input.path) {
            return Err(Error::input(format!("`{}` is no folder", input.path.display()))
                .hint("name the run's folder: mlruns/EXPERIMENT/RUN"));
        }
        let mut draft = Draft::new(self.name());
        let mut told = String::new();
        if let Some(text) = near::text(&input.path.join("meta.yaml")) {
            run(&mut draft, input, &text)?;
            told.push_str(&text);
        }
        tags(&mut draft, &input.path.join("tags"), &mut told);
        params(&mut draft, &input.path.join("params"));
        for model in models(input.path) {
            self::model(&mut draft, &model, &mut told)?;
        }
        draft.rest_unknown("MLflow");
        Ok(draft.finish(&told))
    }
}

/// `meta.yaml`, with what runs before MLflow 1.0 kept there instead of in tags.
fn run(draft: &mut Draft, input: &Input<'_>, text: &str) -> Result<(), Error> {
    let path = input.path.join("meta.yaml");
    let meta = yaml::parse(&Input { path: &path, text })?;
    draft.set_opt("meta.user", meta.str("user_id"));
    if let Some(time) = meta.str("start_time") {
        draft.meta("imported_time", time);
    }
    if let Some(commit) = meta.str("source_version") {
        commit_is(draft, commit);
    }
    Ok(())
}

fn commit_is(draft: &mut Draft, commit: &str) {
    if (7..=64).contains(&commit.len()) && commit.bytes().all(|b| b.is_ascii_hexdigit()) {
        draft.set("git.vcs", "git");
        draft.set("git.commit", commit);
    }
}

/// The tags that MLflow sets itself (mlflow.org, "System Tags"). A tag is a file that holds its value.
fn tags(draft: &mut Draft, folder: &Path, told: &mut String) {
    let tag = |name: &str| {
        near::text(&folder.join(name)).map(|text| text.trim().to_owned()).filter(|t| !t.is_empty())
    };
    if let Some(commit) = tag("mlflow.source.git.commit").or_else(|| tag("mlflow.gitCommit")) {
        commit_is(draft, &commit);
    }
    draft.set_opt("git.branch", tag("mlflow.source.git.branch").or_else(|| tag("mlflow.gitBranchName")));
    draft.set_opt(
        "git.remotes.origin",
        tag("mlflow.source.git.repoURL").or_else(|| tag("mlflow.gitRepoURL")).map(|url| shown_url(&url)),
    );
    draft.set_opt("meta.user", tag("mlflow.user"));
    if let Some(user) = tag("mlflow.user") {
        told.push_str(&format!("\n/home/{user}/\n"));
    }
    draft.set_opt("container.image", tag("mlflow.docker.image.uri").map(|uri| shown_url(&uri)));
    draft.set_opt("container.image_id", tag("mlflow.docker.image.id"));
    if let Some(name) =
        tag("mlflow.source.name").filter(|_| tag("mlflow.source.type").as_deref() != Some("NOTEBOOK"))
    {
        told.push_str(&name);
        // MLflow keeps the program and not its arguments.
        draft.set("run.command", vec![secret::text(&name).into_owned()]);
    }
}

/// `params/NAME`: loggers join the keys of nested parameters with dots or slashes, the latter as folders.
fn params(draft: &mut Draft, folder: &Path) {
    let labels = Labels::default();
    for path in near::below(folder, DEPTH) {
        let Some(text) = near::text(&folder.join(&path)) else { continue };
        let name = path.to_string_lossy();
        let mut keys: Vec<String> = name.split(['.', '/']).map(str::to_owned).collect();
        if keys.iter().any(String::is_empty) {
            keys = vec![name.clone().into_owned()];
        }
        values::put(draft, &labels, &keys, values::typed(text.trim_end_matches('\n')));
    }
}

/// The folders of models: this one, or those below a run's artifacts.
fn models(folder: &Path) -> Vec<std::path::PathBuf> {
    if near::is_file(&folder.join("MLmodel")) {
        return vec![folder.to_path_buf()];
    }
    let artifacts = folder.join("artifacts");
    let found = near::below(&artifacts, DEPTH)
        .into_iter()
        .filter(|path| path.file_name().is_some_and(|n| n == "MLmodel"));
    found.filter_map(|path| artifacts.join(path).parent().map(Path::to_path_buf)).take(16).collect()
}

/// What the environment was in which a model was saved. Its requirements are those that the model's code imports: a
/// choice of what was installed.
fn model(draft: &mut Draft, folder: &Path, told: &mut String) -> Result<(), Error> {
    let text = |name: &str| near::text(&folder.join(name)).map(|text| (folder.join(name), text));
    if let Some((path, text)) = text("requirements.txt") {
        requirements::put_lines(draft, &Input { path: &path, text: &text })?;
        told.push_str(&text);
    }
    if let Some((path, text)) = text("python_env.yaml") {
        let file = yaml::parse(&Input { path: &path, text: &text })?;
        if let Some(version) = file.str("python") {
            draft.set("python.version", version);
        }
        for line in file
            .get("build_dependencies")
            .into_iter()
            .flat_map(yaml::Yaml::items)
            .filter_map(yaml::Yaml::text)
        {
            let _ranges_are_no_versions = requirements::put_lines(draft, &Input { path: &path, text: line });
        }
    }
    if let Some((path, text)) = text("conda.yaml") {
        let input = Input { path: &path, text: &text };
        let file = yaml::parse(&input)?;
        // MLflow writes one for every model, in whatever environment: only the interpreter's version counts.
        let python =
            file.get("dependencies").into_iter().flat_map(yaml::Yaml::items).filter_map(yaml::Yaml::text);
        let version =
            python.filter_map(|line| line.strip_prefix("python=")).map(|v| v.trim_start_matches('=')).next();
        let whole = version
            .filter(|v| v.split('.').count() >= 3 && v.bytes().all(|b| b.is_ascii_digit() || b == b'.'));
        if let Some(version) = whole {
            draft.set("python.version", version);
        }
        let mut lines =
            file.get("dependencies").into_iter().flat_map(yaml::Yaml::items).filter_map(|i| i.get("pip"));
        for line in lines.by_ref().flat_map(yaml::Yaml::items).filter_map(yaml::Yaml::text) {
            conda_env::pip(draft, line);
        }
    }
    draft.unknown(
        "python.packages",
        "MLflow keeps the distributions that the model needs, not all that are installed",
    );
    Ok(())
}
