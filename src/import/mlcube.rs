//! `mlcube.yaml` (MLCommons MLCube): the platform that a cube asks for and the images it runs in, under the names that
//! a capture in its folder gives them.

use super::lock::values;
use super::lock::yaml::{self, Yaml};
use super::{Draft, Format, Input};
use crate::error::Error;
use crate::redact::env_value;
use crate::snapshot::{Snapshot, Value};

/// See the module.
pub(super) struct Mlcube;

/// How many settings are recorded.
const MOST: usize = 1000;

impl Format for Mlcube {
    fn name(&self) -> &'static str {
        "mlcube"
    }

    fn title(&self) -> &'static str {
        "`mlcube.yaml` of MLCommons MLCube"
    }

    fn recognise(&self, input: &Input<'_>) -> u8 {
        let starts = |mark: &str| input.text.lines().any(|line| line.starts_with(mark));
        let images = ["docker:", "singularity:", "platform:"].iter().filter(|mark| starts(mark)).count();
        let named =
            input.path.file_name().is_some_and(|n| n.to_string_lossy().to_lowercase().contains("mlcube"));
        match (starts("tasks:"), images, named) {
            (true, 1.., true) => 90,
            (true, 1.., false) => 75,
            (false, 1.., true) => 60,
            _ => 0,
        }
    }

    fn read(&self, input: &Input<'_>) -> Result<Snapshot, Error> {
        let cube = yaml::parse(input)?;
        let mut draft = Draft::new(self.name());
        let mut left = MOST;
        for section in ["platform", "docker", "singularity"] {
            if let Some(part) = cube.get(section) {
                put(&mut draft, &mut vec![section.to_owned()], part, &mut left);
            }
        }
        if left == MOST {
            let what = "has none of `platform`, `docker` and `singularity`";
            return Err(super::lock::fault(input, None, what));
        }
        draft.rest_unknown("mlcube.yaml");
        Ok(draft.finish(input.text))
    }
}

/// Every leaf below `yaml`, at the keys that lead to it. The parser bounds the depth; `left` bounds the aliases.
fn put(draft: &mut Draft, keys: &mut Vec<String>, yaml: &Yaml, left: &mut usize) {
    let name = keys.last().cloned().unwrap_or_default();
    let redacted = |text: &str| match values::typed(text) {
        Value::Int(number) => Value::Int(number),
        Value::Bool(truth) => Value::Bool(truth),
        _ => Value::Str(env_value(&name, text).text().to_owned()),
    };
    let value = match yaml {
        Yaml::Table(table) => {
            for (key, value) in table {
                if *left == 0 {
                    return;
                }
                keys.push(key.clone());
                put(draft, keys, value, left);
                keys.pop();
            }
            return;
        }
        Yaml::Text(text) if text.is_empty() => return,
        Yaml::Text(text) => redacted(text),
        Yaml::List(_) => {
            let items = yaml.items().filter_map(Yaml::text).take(MOST);
            Value::List(items.map(|text| env_value(&name, text).text().into()).collect())
        }
    };
    *left = left.saturating_sub(1);
    let path = ["container", "mlcube"].into_iter().map(str::to_owned).chain(keys.iter().cloned());
    draft.set_at(path, value);
}
