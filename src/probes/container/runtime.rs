//! Whether this process runs in a container, in which kind, and by what names it goes.

use std::path::Path;

use crate::host::Host;
use crate::probes::Sink;
use crate::probes::os::wsl;

const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

pub(super) fn collect(host: &dyn Host, out: &Sink) {
    let groups = host.maybe("/proc/self/cgroup").unwrap_or_default();
    let mounts = host.maybe("/proc/self/mountinfo").unwrap_or_default();
    let (runtime, road) = runtime(host, &groups, &mounts);
    out.set("runtime", runtime.as_str());
    out.set("runtime_found_by", road);
    if runtime != "none" {
        out.set_opt("id", parse_id(&groups).or_else(|| parse_id(&mounts)));
    }
    if runtime == "kubernetes" {
        // The pod's name is its host name unless the pod says otherwise.
        out.set_opt("pod", Some(host.system().hostname).filter(|name| !name.is_empty()));
    }
    out.set_opt("namespace", host.maybe(Path::new(SERVICE_ACCOUNT).join("namespace")));
}

/// The runtime and the road to it, the surest and most specific signs first.
fn runtime(host: &dyn Host, groups: &str, mounts: &str) -> (String, &'static str) {
    let set = |name: &str| host.env(name).is_some_and(|value| !value.is_empty());
    let there = |path: &str| host.exists(Path::new(path));
    let found = |name: &str, road| (name.to_owned(), road);
    if set("APPTAINER_CONTAINER") {
        return found("apptainer", "APPTAINER_CONTAINER");
    }
    if set("SINGULARITY_CONTAINER") {
        return found("singularity", "SINGULARITY_CONTAINER");
    }
    if there("/.singularity.d") {
        return found("apptainer", "/.singularity.d");
    }
    if set("KUBERNETES_SERVICE_HOST") {
        return found("kubernetes", "KUBERNETES_SERVICE_HOST");
    }
    if there(SERVICE_ACCOUNT) {
        return found("kubernetes", "service account");
    }
    if groups.contains("kubepods") || mounts.contains("kubepods") {
        return found("kubernetes", "control group");
    }
    if there("/run/.containerenv") {
        return found("podman", "/run/.containerenv");
    }
    // The interface that systemd asks of container managers: the file, or PID 1's variable `container`.
    let said = host.maybe("/run/systemd/container").or_else(|| host.env("container"));
    if let Some(name) =
        said.map(|name| name.trim().to_ascii_lowercase()).filter(|name| is_name(name) && name != "oci")
    {
        return (name, "container interface");
    }
    if there("/.dockerenv") {
        return found("docker", "/.dockerenv");
    }
    if let Some(name) = parse_runtime(groups) {
        return found(name, "control group");
    }
    // A root file system in layers: what the runtime keeps them under.
    let root = mounts.lines().find(|line| line.split(' ').nth(4) == Some("/")).unwrap_or_default();
    for (sign, name) in
        [("/docker/", "docker"), ("/containers/storage/", "podman"), ("/containerd/", "containerd")]
    {
        if root.contains(" - overlay ") && root.contains(sign) {
            return found(name, "root file system");
        }
    }
    // Images of Red Hat's set this, whatever runs them.
    if host.env("container").as_deref() == Some("oci") {
        return found("other", "container interface");
    }
    if wsl(&host.system().release).is_some() {
        return found("wsl", "kernel release");
    }
    found("none", "no sign of one")
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= 32 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// The runtime whose control group this is: `/docker/<id>`, `/system.slice/docker-<id>.scope`, `/libpod-<id>.scope`,
/// `/lxc/name`, `/lxc.payload.name`, `/machine.slice/systemd-nspawn@name.service`.
fn parse_runtime(groups: &str) -> Option<&'static str> {
    let signs = [
        ("/docker/", "docker"),
        ("/docker-", "docker"),
        ("/libpod-", "podman"),
        ("/lxc/", "lxc"),
        ("/lxc.payload", "lxc"),
        ("/systemd-nspawn@", "systemd-nspawn"),
        ("/cri-containerd-", "containerd"),
        ("/garden/", "garden"),
        ("/buildkit/", "buildkit"),
    ];
    signs.into_iter().find(|(sign, _)| groups.contains(sign)).map(|(_, name)| name)
}

/// A container's id, 64 hexadecimal digits, in a control group's path or in the source of a mount below it
/// (`/var/lib/docker/containers/<id>/hostname`); image layers have such names too, but stand elsewhere.
fn parse_id(text: &str) -> Option<String> {
    let signs = [
        "/docker/",
        "docker-",
        "libpod-",
        "cri-containerd-",
        "crio-",
        "/containers/",
        "/overlay-containers/",
        "kubepods",
    ];
    let mut lines = text.lines().filter(|line| signs.iter().any(|sign| line.contains(sign)));
    lines.find_map(|line| {
        let fields = line.split(' ').take(4);
        let words = fields.flat_map(|field| field.split(|c: char| !c.is_ascii_hexdigit()));
        let mut words: Vec<&str> = words.filter(|word| word.len() == 64).collect();
        words.pop().map(str::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::recorded::Recorded;

    const ID: &str = "3f2a1b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708";

    fn told(files: &[(&str, &str)], env: &[(&str, &str)]) -> String {
        let mut host = Recorded { cwd: "/".into(), ..Recorded::default() };
        host.files.extend(files.iter().map(|(path, text)| (path.into(), (*text).to_owned())));
        host.env.extend(env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let read = |path: &str| (&host as &dyn Host).maybe(path).unwrap_or_default();
        runtime(&host, &read("/proc/self/cgroup"), &read("/proc/self/mountinfo")).0
    }

    #[test]
    fn runtimes() {
        let overlay = "600 500 0:56 / / rw - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/A\n";
        assert_eq!(told(&[], &[]), "none");
        assert_eq!(told(&[("/.dockerenv", "")], &[]), "docker");
        assert_eq!(told(&[("/proc/self/mountinfo", overlay)], &[]), "docker");
        assert_eq!(
            told(&[("/proc/self/cgroup", &format!("0::/system.slice/docker-{ID}.scope"))], &[]),
            "docker"
        );
        assert_eq!(told(&[("/run/.containerenv", "engine=\"podman-4.9.4\"\n")], &[]), "podman");
        assert_eq!(told(&[("/.dockerenv", "")], &[("KUBERNETES_SERVICE_HOST", "10.0.0.1")]), "kubernetes");
        assert_eq!(told(&[("/proc/self/cgroup", "0::/kubepods.slice/x")], &[]), "kubernetes");
        assert_eq!(
            told(&[], &[("APPTAINER_CONTAINER", "/x.sif"), ("SINGULARITY_CONTAINER", "/x.sif")]),
            "apptainer"
        );
        assert_eq!(told(&[], &[("SINGULARITY_CONTAINER", "/x.sif")]), "singularity");
        assert_eq!(told(&[("/run/systemd/container", "systemd-nspawn\n")], &[]), "systemd-nspawn");
        assert_eq!(told(&[], &[("container", "lxc")]), "lxc");
        assert_eq!(told(&[("/proc/self/cgroup", "0::/lxc.payload.web/init.scope")], &[]), "lxc");
        assert_eq!(told(&[("/run/systemd/container", "no name at all!\n")], &[]), "none");
    }

    #[test]
    fn ids() {
        let layer = "ab".repeat(32);
        for text in [
            format!("12:cpu:/docker/{ID}\n"),
            format!("0::/kubepods/besteffort/pod1-2/{ID}\n"),
            format!(
                "605 600 254:1 /var/lib/docker/containers/{ID}/hostname /etc/hostname rw - ext4 /dev/vda1 rw\n"
            ),
            format!(
                "1 2 0:5 / / rw - overlay overlay rw,upperdir=/x/overlay2/{layer}/diff\n12:cpu:/docker/{ID}\n"
            ),
        ] {
            assert_eq!(parse_id(&text).as_deref(), Some(ID), "{text}");
        }
        assert_eq!(parse_id("0::/\n1 2 0:5 / / rw - overlay overlay rw\n"), None);
    }
}
