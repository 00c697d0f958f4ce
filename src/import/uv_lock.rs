//! `uv.lock`: the graph of packages that uv resolved for every platform and Python at once.
//!
//! What `uv sync` would install on Linux x86_64: from the project's dependencies and its group `dev` (uv's default),
//! along every edge whose marker holds. Forks (`resolution-markers`) are chosen likewise. `uv sync` removes what the
//! lock does not name, so the rest is absent.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::lock::choice::Choices;
use super::lock::pythons::{Pythons, When};
use super::lock::{Package, fault, shown_url, toml, toml_str, toml_strs, toml_tables};
use super::{Draft, Format, Input};
use crate::error::Error;
use crate::snapshot::Snapshot;

/// See the module.
pub(super) struct UvLock;

const SILENT: &str = "uv.lock does not say";
/// How many edges are followed before the file counts as hostile. A lock of 1,000 packages takes some 100,000.
const STEPS: usize = 20_000_000;

impl Format for UvLock {
    fn name(&self) -> &'static str {
        "uv_lock"
    }

    fn title(&self) -> &'static str {
        "`uv.lock`: what `uv sync` installs on Linux x86_64"
    }

    fn recognise(&self, input: &Input<'_>) -> u8 {
        let head = input.text.get(..1 << 16).unwrap_or(input.text);
        let starts = |mark: &str| head.lines().any(|line| line.starts_with(mark));
        let packages = starts("[[package]]") || starts("[[distribution]]");
        let named = input.path.file_name().is_some_and(|name| name == "uv.lock");
        let marks = starts("requires-python = ") && starts("version = ") && !starts("lock-version");
        if (packages || named) && marks { 95 } else { 0 }
    }

    fn read(&self, input: &Input<'_>) -> Result<Snapshot, Error> {
        let lock = toml(input)?;
        let version = lock.get("version").and_then(Value::as_integer);
        if version != Some(1) {
            let what = version
                .map_or("no `version`".to_owned(), |v| format!("version {v}, which driftlock does not know"));
            return Err(fault(input, None, format!("a uv.lock of {what}")));
        }
        let graph = Graph::read(&lock);
        let requires = toml_str(&lock, "requires-python");
        let mut pythons = Pythons::new(requires, graph.markers());
        let too_many = || fault(input, None, "its dependencies are too many to follow");
        let chosen = graph.reached(&mut pythons, false).ok_or_else(too_many)?;
        let possible = graph.reached(&mut pythons, true).ok_or_else(too_many)?;
        let mut choices = Choices::default();
        for ((node, when), could) in graph.nodes.iter().zip(chosen).zip(possible) {
            let Some(package) = node.package() else { continue };
            if when.maybe != 0 {
                choices.add(node.name, package, when);
            } else if could.maybe != 0 {
                choices.aside(
                    node.name,
                    "the lock has it only for an extra or a group that is not installed by default",
                );
            }
        }
        let mut draft = Draft::new(self.name());
        draft.absent("python.packages");
        choices.put(&mut draft, &pythons, SILENT);
        if let Some(requires) = requires {
            draft.unknown("python.version", format!("the lock allows `{requires}`"));
        }
        draft.partial("python", SILENT);
        Ok(draft.finish(input.text))
    }
}

/// A package of the lock.
struct Node<'a> {
    name: &'a str,
    version: Option<&'a str>,
    source: Option<&'a Table>,
    table: &'a Table,
}

struct Graph<'a> {
    nodes: Vec<Node<'a>>,
    by_name: BTreeMap<&'a str, Vec<usize>>,
    members: Vec<&'a str>,
}

impl<'a> Graph<'a> {
    fn read(lock: &'a Table) -> Self {
        let tables = toml_tables(lock, "package").chain(toml_tables(lock, "distribution"));
        let nodes: Vec<Node<'a>> = tables
            .filter_map(|table| {
                Some(Node {
                    name: toml_str(table, "name")?,
                    version: toml_str(table, "version"),
                    source: table.get("source").and_then(Value::as_table),
                    table,
                })
            })
            .collect();
        let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (i, node) in nodes.iter().enumerate() {
            by_name.entry(node.name).or_default().push(i);
        }
        let manifest = lock.get("manifest").and_then(Value::as_table);
        let members = manifest.map(|m| toml_strs(m, "members").collect()).unwrap_or_default();
        Self { nodes, by_name, members }
    }

    /// Every marker of the file.
    fn markers(&self) -> Vec<&'a str> {
        let mut out = Vec::new();
        for node in &self.nodes {
            out.extend(toml_strs(node.table, "resolution-markers"));
            let lists = [node.table].into_iter().chain(
                ["optional-dependencies", "dev-dependencies"]
                    .into_iter()
                    .filter_map(|k| node.table.get(k)?.as_table()),
            );
            for list in lists {
                for key in list.keys() {
                    out.extend(toml_tables(list, key).filter_map(|edge| toml_str(edge, "marker")));
                }
            }
        }
        out.sort_unstable();
        out.dedup();
        out
    }

    /// What `uv sync` starts from: the project at the root of the workspace; without one, its members; without those
    /// (a script's lock), what nothing else asks for.
    fn roots(&self) -> Vec<usize> {
        let with = |test: &dyn Fn(&Node<'_>) -> bool| -> Vec<usize> {
            self.nodes.iter().enumerate().filter(|(_, node)| test(node)).map(|(i, _)| i).collect()
        };
        let at_root = with(&|node| node.local().is_some_and(|(_, path)| path == "."));
        if !at_root.is_empty() {
            return at_root;
        }
        let members = with(&|node| self.members.contains(&node.name));
        if !members.is_empty() {
            return members;
        }
        let mut wanted: Vec<&str> = Vec::new();
        for node in &self.nodes {
            wanted.extend(toml_tables(node.table, "dependencies").filter_map(|edge| toml_str(edge, "name")));
        }
        wanted.sort_unstable();
        with(&|node| wanted.binary_search(&node.name).is_err())
    }

    /// For which versions of Python each package is installed; `everything` also takes extras and groups that are
    /// not installed by default. `None` where the graph is too large.
    fn reached(&self, pythons: &mut Pythons, everything: bool) -> Option<Vec<When>> {
        // Conflicting extras and groups stand in markers as `extra-3-foo-cpu` and `group-3-foo-dev`.
        let extra = move |name: &str| everything || (name.starts_with("group-") && name.ends_with("-dev"));
        let mut state: BTreeMap<(usize, Option<&str>), When> = BTreeMap::new();
        let mut work: Vec<(usize, Option<&str>)> = Vec::new();
        let all = pythons.all();
        let mut steps = 0;
        for root in self.roots() {
            state.insert((root, None), all);
            work.push((root, None));
            if let (true, Some(extras)) = (everything, self.nodes[root].sub("optional-dependencies")) {
                for name in extras.keys() {
                    state.insert((root, Some(name)), all);
                    work.push((root, Some(name)));
                }
            }
        }
        let roots = self.roots();
        let mut forks: BTreeMap<usize, When> = BTreeMap::new();
        while let Some((at, part)) = work.pop() {
            let when = state.get(&(at, part)).copied().unwrap_or_default();
            let node = &self.nodes[at];
            let mut edges: Vec<&Table> = Vec::new();
            match part {
                None => edges.extend(toml_tables(node.table, "dependencies")),
                Some(name) => edges
                    .extend(node.sub("optional-dependencies").into_iter().flat_map(|t| toml_tables(t, name))),
            }
            if part.is_none() && roots.contains(&at) {
                let groups = node.sub("dev-dependencies");
                for (name, _) in groups.into_iter().flatten().filter(|(name, _)| everything || *name == "dev")
                {
                    edges.extend(groups.into_iter().flat_map(|t| toml_tables(t, name)));
                }
            }
            for edge in edges {
                let Some(name) = toml_str(edge, "name") else { continue };
                let holds = match toml_str(edge, "marker") {
                    Some(marker) => {
                        let mut holds = pythons.when(marker, &extra);
                        if everything && marker.contains("extra") {
                            holds = holds.or(pythons.when(marker, &|_| false));
                        }
                        when.and(holds)
                    }
                    None => when,
                };
                for &to in self.by_name.get(name).into_iter().flatten() {
                    steps += 1;
                    if steps > STEPS {
                        return None;
                    }
                    if holds.maybe == 0 || !self.nodes[to].is_meant(edge) {
                        continue;
                    }
                    let fork = *forks.entry(to).or_insert_with(|| self.nodes[to].fork(pythons));
                    let holds = holds.and(fork);
                    for part in [None].into_iter().chain(toml_strs(edge, "extra").map(Some)) {
                        let before = state.get(&(to, part)).copied().unwrap_or_default();
                        let after = before.or(holds);
                        if after != before {
                            state.insert((to, part), after);
                            work.push((to, part));
                        }
                    }
                }
            }
        }
        Some((0..self.nodes.len()).map(|i| state.get(&(i, None)).copied().unwrap_or_default()).collect())
    }
}

impl<'a> Node<'a> {
    fn sub(&self, key: &str) -> Option<&'a Table> {
        self.table.get(key).and_then(Value::as_table)
    }

    /// How a local project is installed, and its path.
    fn local(&self) -> Option<(&'static str, &'a str)> {
        let source = self.source?;
        ["editable", "virtual", "directory"]
            .into_iter()
            .find_map(|kind| Some((kind, toml_str(source, kind)?)))
    }

    /// Whether an edge means this package, where a name has several versions or sources.
    fn is_meant(&self, edge: &Table) -> bool {
        let version = toml_str(edge, "version");
        let source = edge.get("source").and_then(Value::as_table);
        version.is_none_or(|v| Some(v) == self.version) && source.is_none_or(|s| Some(s) == self.source)
    }

    /// For which Pythons this fork of the resolution counts.
    fn fork(&self, pythons: &mut Pythons) -> When {
        let mut markers = toml_strs(self.table, "resolution-markers").peekable();
        if markers.peek().is_none() {
            return pythons.all();
        }
        markers.fold(When::default(), |when, marker| when.or(pythons.when(marker, &|_| false)))
    }

    /// What is installed; `None` for a virtual project, of which only the dependencies are.
    fn package(&self) -> Option<Package> {
        let mut package = Package::of(self.version.unwrap_or_default());
        if package.version.is_none() {
            package.why = Some("the project computes its version when it is built".into());
        }
        let Some(source) = self.source else { return Some(package) };
        match self.local() {
            Some(("virtual", _)) => return None,
            Some((kind, path)) => {
                package.editable = kind == "editable";
                package.origin =
                    Some(if path == "." { "{project}".into() } else { format!("{{project}}/{path}") });
            }
            None => {}
        }
        if let Some(git) = toml_str(source, "git") {
            package.origin = Some(git_origin(git));
        } else if let Some(url) = toml_str(source, "url").or_else(|| toml_str(source, "path")) {
            let hash =
                self.hash().map_or_else(String::new, |hash| format!("#{}", hash.replacen(':', "=", 1)));
            let local = !url.contains("://");
            package.origin = Some(if local {
                format!("{{project}}/{url}{hash}")
            } else {
                format!("{}{hash}", shown_url(url))
            });
        }
        Some(package)
    }

    /// The hash of the one archive that a direct source has.
    fn hash(&self) -> Option<&'a str> {
        let wheel = toml_tables(self.table, "wheels").next();
        let archive = wheel.or_else(|| self.table.get("sdist").and_then(Value::as_table));
        archive.and_then(|archive| toml_str(archive, "hash"))
    }
}

/// `https://…/repo?rev=main&subdirectory=x#COMMIT` as `git+https://…/repo@COMMIT#subdirectory=x`.
fn git_origin(url: &str) -> String {
    let (rest, commit) = url.split_once('#').unwrap_or((url, ""));
    let (base, query) = rest.split_once('?').unwrap_or((rest, ""));
    let folder = query.split('&').find_map(|part| part.strip_prefix("subdirectory="));
    let folder = folder
        .map_or_else(String::new, |f| format!("#subdirectory={}", super::lock::direct::percent_decoded(f)));
    let commit = if commit.is_empty() { String::new() } else { format!("@{commit}") };
    format!("git+{}{commit}{folder}", shown_url(base))
}
