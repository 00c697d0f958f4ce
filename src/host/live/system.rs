//! What the kernel and the C library say, without reading a file.

use crate::host::System;

/// Asks the kernel, the C library and, for what differs by system, sysinfo.
pub(super) fn read() -> System {
    let mut system = System::default();
    unix(&mut system);
    portable(&mut system);
    system
}

/// What sysinfo knows on every system it supports.
fn portable(system: &mut System) {
    let Ok(mut info) = sysinfo::System::new() else {
        return;
    };
    info.refresh_memory();
    system.memory_total = Some(info.total_memory()).filter(|n| *n > 0);
    system.memory_available = Some(info.available_memory()).filter(|n| *n > 0);
    if !cfg!(target_os = "linux") {
        // On Linux the probes read the same files themselves, and more of them.
        info.refresh_cpu_list(sysinfo::CpuRefreshKind::nothing());
        system.cpu_brand =
            info.cpus().first().map(|cpu| cpu.brand().trim().to_owned()).filter(|b| !b.is_empty());
        system.logical_cores = Some(info.cpus().len() as u64).filter(|n| *n > 0);
        system.physical_cores = sysinfo::System::physical_core_count().ok().map(|n| n as u64);
        system.os_name = sysinfo::System::name().ok();
        system.os_version = sysinfo::System::os_version().ok();
    }
}

fn unix(system: &mut System) {
    if let Ok(uname) = nix::sys::utsname::uname() {
        let text = |s: &std::ffi::OsStr| s.to_string_lossy().into_owned();
        system.sysname = text(uname.sysname());
        system.release = text(uname.release());
        system.version = text(uname.version());
        system.machine = text(uname.machine());
        system.hostname = text(uname.nodename());
    }
    let uid = nix::unistd::geteuid();
    system.uid = Some(uid.as_raw());
    if let Ok(Some(user)) = nix::unistd::User::from_uid(uid) {
        system.user = Some(user.name);
        system.home = Some(user.dir);
    }
    system.home = std::env::var_os("HOME").map(Into::into).or(system.home.take());
    system.page_size = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE)
        .ok()
        .flatten()
        .and_then(|n| u64::try_from(n).ok());
    system.addresses = addresses();
    #[cfg(target_os = "linux")]
    linux(system);
}

/// The addresses of every interface but loopback, sorted.
fn addresses() -> Vec<String> {
    let mut found: Vec<String> = nix::ifaddrs::getifaddrs()
        .into_iter()
        .flatten()
        .filter_map(|interface| interface.address)
        .filter_map(|address| {
            let v4 = address.as_sockaddr_in().map(|a| std::net::IpAddr::from(a.ip()));
            v4.or_else(|| address.as_sockaddr_in6().map(|a| std::net::IpAddr::from(a.ip())))
        })
        .filter(|ip| !ip.is_loopback() && !ip.is_unspecified())
        .map(|ip| ip.to_string())
        .collect();
    found.sort();
    found.dedup();
    found
}

#[cfg(target_os = "linux")]
fn linux(system: &mut System) {
    use nix::sched::{CpuSet, sched_getaffinity};
    use nix::unistd::Pid;

    if let Ok(set) = sched_getaffinity(Pid::from_raw(0)) {
        let cpus = (0..CpuSet::count()).filter(|cpu| set.is_set(*cpu).unwrap_or(false));
        system.affinity = Some(cpus.filter_map(|cpu| u32::try_from(cpu).ok()).collect());
    }
    if let Ok(persona) = nix::sys::personality::get() {
        system.aslr_disabled = Some(persona.contains(nix::sys::personality::Persona::ADDR_NO_RANDOMIZE));
    }
    system.libc = libc_version();
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "gnu_get_libc_version(3) has no safe wrapper")]
fn libc_version() -> Option<(String, String)> {
    // SAFETY: the function takes nothing and returns a pointer to a static, NUL-terminated string.
    let version = unsafe { std::ffi::CStr::from_ptr(libc::gnu_get_libc_version()) };
    Some(("glibc".to_owned(), version.to_string_lossy().into_owned()))
}

#[cfg(all(target_os = "linux", not(target_env = "gnu")))]
fn libc_version() -> Option<(String, String)> {
    None
}
