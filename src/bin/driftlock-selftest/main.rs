//! `driftlock-selftest`: computes the operations of a request with libtorch. The only binary that links it.
//!
//! Started by `driftlock selftest`, which checks the version of torch first; docs/reference/selftest/protocol.md
//! describes the request (the last argument) and the answer (JSON lines).

#![expect(clippy::disallowed_methods, reason = "it computes and looks at no machine")]

mod context;
mod measure;
mod operations;
mod outputs;
#[expect(unsafe_code, reason = "the border to C++")]
mod shim;

use std::fs::File;
use std::io::Write as _;

use driftlock::selftest::engine::TORCH;
use driftlock::selftest::protocol::{Line, Request};
use serde_json::{Map, Value as Json, json};
use tch::Device;

fn main() {
    let Ok(mut answers) = shim::take_stdout() else {
        return;
    };
    // An operation that panics is reported; its message is not to be mixed with a library's.
    std::panic::set_hook(Box::new(|_| {}));
    if let Err((kind, message)) = serve(&mut answers) {
        let _gone = say(&mut answers, &Line::Failed { kind: kind.to_owned(), message });
    }
    shim::exit();
}

fn say(answers: &mut File, line: &Line) -> Result<(), (&'static str, String)> {
    let mut text = serde_json::to_string(line).map_err(|e| ("request", e.to_string()))?;
    text.push('\n');
    answers.write_all(text.as_bytes()).map_err(|e| ("request", e.to_string()))
}

fn serve(answers: &mut File) -> Result<(), (&'static str, String)> {
    let argument = std::env::args().next_back().unwrap_or_default();
    let request: Request = serde_json::from_str(&argument).map_err(|e| ("request", e.to_string()))?;
    let device = device(&request.device)?;
    // Before anything else: an inline call of another version's headers can land in the wrong function.
    let config = shim::info("config").map_err(|e| ("abi", e))?;
    let version = config.split("TORCH_VERSION=").nth(1).and_then(|t| t.split([',', ' ']).next());
    let version = version.unwrap_or_default().to_owned();
    if !version.starts_with(&format!("{TORCH}.")) {
        return Err(("abi", version));
    }
    if device.is_cuda() && !tch::Cuda::is_available() {
        return Err(("no-device", "no usable CUDA device".to_owned()));
    }
    if let Device::Cuda(index) = device
        && index as i64 >= tch::Cuda::device_count()
    {
        return Err(("no-device", format!("there are {} CUDA devices", tch::Cuda::device_count())));
    }
    if let Some(threads) = request.threads {
        tch::set_num_threads(i32::try_from(threads).unwrap_or(i32::MAX));
    }
    let mut flags = Map::new();
    for (name, value) in &request.flags {
        let now = shim::set_flag(name, *value).map_err(|e| ("flag", e))?;
        if now != *value {
            return Err(("flag", format!("{name} is {now} after it was set to {value}")));
        }
        flags.insert(name.clone(), now.into());
    }
    say(answers, &Line::Hello(describe(device, &version, flags)))?;
    if let (Device::Cuda(index), 1..) = (device, request.load) {
        let index = i32::try_from(index).unwrap_or(0);
        shim::load(index, request.load as i32).map_err(|e| ("request", e))?;
    }
    let known = operations::all();
    for asked in &request.operations {
        say(answers, &Line::Start { id: asked.id.clone() })?;
        let operation = known.iter().find(|o| o.id == asked.id);
        say(answers, &Line::Operation(measure::measure(operation, asked, &request, device)))?;
    }
    say(answers, &Line::Done)
}

fn device(name: &str) -> Result<Device, (&'static str, String)> {
    match name.split_once(':') {
        None if name == "cpu" => Ok(Device::Cpu),
        Some(("cuda", index)) => {
            let index = index.parse().map_err(|_| ("no-device", format!("no device `{name}`")))?;
            shim::load_cuda().map_err(|e| ("no-device", e))?;
            Ok(Device::Cuda(index))
        }
        _ => Err(("no-device", format!("no device `{name}` in this engine"))),
    }
}

fn describe(device: Device, version: &str, flags: Map<String, Json>) -> Map<String, Json> {
    let mut said = Map::new();
    let mut say = |key: &str, value: Json| said.insert(key.to_owned(), value);
    say("protocol", json!(1));
    say("engine", json!("tch"));
    say("library", json!("torch"));
    say("version", json!(version));
    say("flags", Json::Object(flags));
    say("threads", json!(tch::get_num_threads()));
    for what in ["cpu_capability", "mkl", "mkldnn"] {
        if let Ok(words) = shim::info(what) {
            say(what, json!(words));
        }
    }
    if let Device::Cuda(index) = device {
        say("devices", json!(tch::Cuda::device_count()));
        for line in shim::device(i32::try_from(index).unwrap_or(0)).unwrap_or_default().lines() {
            if let Some((key, value)) = line.split_once('=') {
                say(key, value.parse::<i64>().map_or_else(|_| json!(value), |n| json!(n)));
            }
        }
    }
    said
}
