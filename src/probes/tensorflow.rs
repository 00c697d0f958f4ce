//! The `tensorflow` section.

use super::library::native::{Package, imported};
use super::library::text;
use super::{Context, Probe, ProbeError, Sink};

/// See the module.
pub struct Tensorflow;

/// Distributions that install the module: the usual one first.
const DISTRIBUTIONS: [&str; 5] =
    ["tensorflow", "tensorflow-cpu", "tensorflow-rocm", "tf-nightly", "tensorflow-intel"];

/// Packages whose releases go with TensorFlow's: the module, and the distribution.
const COMPANIONS: [(&str, &str); 4] = [
    ("keras", "keras"),
    ("tf_keras", "tf-keras"),
    ("tensorflow_probability", "tensorflow-probability"),
    ("tensorflow_io", "tensorflow-io"),
];

/// TensorFlow's own libraries; the major version is part of the name.
const LIBRARIES: [(&str, &str); 2] =
    [("cc", "libtensorflow_cc.so"), ("framework", "libtensorflow_framework.so")];

impl Probe for Tensorflow {
    fn section(&self) -> &'static str {
        "tensorflow"
    }

    fn collect(&self, cx: &Context, out: &Sink) -> Result<(), ProbeError> {
        let host = cx.host.as_ref();
        let Some(interpreter) = cx.interpreter()? else {
            return Ok(());
        };
        // The module tells its version only when it is run, so it comes from the distribution's metadata.
        let installed = |name: &&&str| interpreter.distribution(host, name).is_some();
        let distribution = DISTRIBUTIONS.iter().find(installed).unwrap_or(&"tensorflow");
        let Some(package) = Package::find(cx, out, "tensorflow", distribution)? else {
            return Ok(());
        };
        let build = host.maybe(package.dir.join("python/platform/build_info.py")).unwrap_or_default();
        out.set_opt("cuda", item(&build, "cuda_version").and_then(first));
        out.set_opt("cudnn", item(&build, "cudnn_version").and_then(first));
        for key in ["is_cuda_build", "is_rocm_build"] {
            out.set_opt(key, item(&build, key).map(|value| value.starts_with("True")));
        }
        let archs =
            item(&build, "cuda_compute_capabilities").map(|list| text::literals(list).collect::<Vec<_>>());
        out.set_opt("cuda_archs", archs.filter(|archs| !archs.is_empty()));
        package.companions(host, out, &COMPANIONS);
        let internal = package.extension(host, "python", "_pywrap_tensorflow_internal").or_else(|| {
            // Since 2.19 the extension modules share one library beside them.
            package.extension(host, "python", "_pywrap_tensorflow_common")
        });
        if let Some(internal) = internal {
            let loader = imported(host, package.interpreter, &internal);
            for (name, stem) in LIBRARIES {
                if let Some(object) = loader.find(&[stem]).and_then(|index| loader.objects().get(index)) {
                    package.record(out, &format!("libraries.{name}"), object);
                }
            }
        }
        Ok(())
    }
}

/// The value of a key in TensorFlow's `build_info.py`, up to the end of its pair:
///
/// ```text
/// build_info = collections.OrderedDict([('cuda_compute_capabilities', ['sm_60', 'compute_90']), ('cuda_version', '12.5.1'), ('is_cuda_build', True)])
/// ```
fn item<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("('{key}', "))?;
    rest.split_once(')').map(|(value, _)| value)
}

fn first(value: &str) -> Option<&str> {
    text::literals(value).next().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn build_info() {
        let text = "build_info = collections.OrderedDict([('cpu_compiler', '/usr/lib/llvm-18/bin/clang'), \
                    ('cuda_compute_capabilities', ['sm_60', 'compute_90']), ('cuda_version', '12.5.1'), \
                    ('cudnn_version', '9'), ('is_cuda_build', True), ('is_rocm_build', False)])";
        assert_eq!(item(text, "cuda_version").and_then(first), Some("12.5.1"));
        assert_eq!(item(text, "is_rocm_build"), Some("False"));
        let archs: Vec<&str> = text::literals(item(text, "cuda_compute_capabilities").unwrap()).collect();
        assert_eq!(archs, ["sm_60", "compute_90"]);
        assert_eq!(item(text, "nccl"), None);
    }
}
