//! `nvidia-smi -q -x`.

use quick_xml::Reader;
use quick_xml::events::Event;

use super::tree::{DEPTH, DEVICES, Log, Tree};

/// Reads the document into the same tree as the text, by the names of its elements. Streamed: neither depth nor
/// entities cost anything.
pub(super) fn parse(text: &str) -> Result<Log, (usize, String)> {
    let start = text.find("<nvidia_smi_log").unwrap_or(0);
    let mut reader = Reader::from_str(&text[start..]);
    let mut log = Log::default();
    let mut path: Vec<String> = Vec::new();
    let mut depth = 0_usize;
    let mut list = 0_usize;
    loop {
        let event = reader.read_event().map_err(|e| {
            let at = start + usize::try_from(reader.buffer_position()).unwrap_or(0).min(text.len() - start);
            (text.as_bytes()[..at].iter().filter(|b| **b == b'\n').count() + 1, format!("not XML: {e}"))
        });
        match event {
            Ok(Event::Eof) => return Ok(log),
            Ok(Event::Start(element)) => {
                let name = element.name().as_ref().to_owned();
                depth += 1;
                if depth == 2 && name == "gpu" {
                    if log.devices.len() == DEVICES {
                        return Ok(log);
                    }
                    log.devices.push(Tree::new());
                    list = 0;
                }
                if name == "mig_device" {
                    list += 1;
                }
                if depth <= DEPTH {
                    path.push(if name == "mig_device" { list.to_string() } else { name });
                }
            }
            Ok(Event::End(_)) => {
                if depth <= DEPTH {
                    path.pop();
                }
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Ok(log);
                }
            }
            Ok(Event::Text(value)) => {
                let value = value.trim().to_owned();
                if value.is_empty() || depth > DEPTH {
                    continue;
                }
                let in_device = path.get(1).is_some_and(|name| name == "gpu");
                let (tree, from) = match log.devices.last_mut() {
                    Some(tree) if in_device => (tree, 2),
                    _ => (&mut log.head, 1),
                };
                let key = path.iter().skip(from).cloned().collect::<Vec<_>>().join("/");
                tree.entry(key).or_insert(value);
            }
            Ok(_) => {}
            // A log that was cut off is read as far as it goes.
            Err(_) if !log.devices.is_empty() => return Ok(log),
            Err(error) => return Err(error),
        }
    }
}
