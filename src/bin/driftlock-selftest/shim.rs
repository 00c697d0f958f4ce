//! What tch does not bind, through the C functions of `shim.cpp`: flags of libtorch and words about it.

use std::ffi::{CStr, CString, c_char, c_int};

unsafe extern "C" {
    fn dl_set(key: *const c_char, value: i64, text: *mut c_char, size: usize) -> c_int;
    fn dl_get(key: *const c_char, value: *mut i64, text: *mut c_char, size: usize) -> c_int;
    fn dl_info(what: *const c_char, text: *mut c_char, size: usize) -> c_int;
    fn dl_device(index: c_int, text: *mut c_char, size: usize) -> c_int;
    fn dl_load(index: c_int, streams: c_int, text: *mut c_char, size: usize) -> c_int;
}

/// Calls with a buffer for text: the answer where it returns 0, the error's words elsewhere.
fn call(with: impl FnOnce(*mut c_char, usize) -> c_int) -> Result<String, String> {
    let mut buffer = vec![0u8; 16 << 10];
    // The last byte stays 0 whatever is written.
    let status = with(buffer.as_mut_ptr().cast(), buffer.len() - 1);
    let text = CStr::from_bytes_until_nul(&buffer).map(|t| t.to_string_lossy().into_owned());
    let text = text.unwrap_or_default();
    if status == 0 { Ok(text) } else { Err(text) }
}

fn key(name: &str) -> Result<CString, String> {
    CString::new(name).map_err(|e| e.to_string())
}

/// Sets a flag and returns what libtorch says afterwards.
pub(crate) fn set_flag(name: &str, value: i64) -> Result<i64, String> {
    let key = key(name)?;
    // SAFETY: the key is a C string that outlives the call, the buffer is as long as said, and no exception leaves
    // the shim.
    call(|text, size| unsafe { dl_set(key.as_ptr(), value, text, size) })?;
    let mut now = 0;
    // SAFETY: as above; `now` outlives the call.
    call(|text, size| unsafe { dl_get(key.as_ptr(), &raw mut now, text, size) })?;
    Ok(now)
}

/// `config`, `cpu_capability`, `mkl`, `mkldnn`.
pub(crate) fn info(what: &str) -> Result<String, String> {
    let key = key(what)?;
    // SAFETY: as in `set_flag`.
    call(|text, size| unsafe { dl_info(key.as_ptr(), text, size) })
}

/// `key=value` lines about a CUDA device, from the driver's own C interface.
pub(crate) fn device(index: c_int) -> Result<String, String> {
    // SAFETY: the buffer is as long as said, and no exception leaves the shim.
    call(|text, size| unsafe { dl_device(index, text, size) })
}

/// Keeps so many side streams of a CUDA device busy until the process ends.
pub(crate) fn load(index: c_int, streams: c_int) -> Result<(), String> {
    // SAFETY: as in `device`.
    call(|text, size| unsafe { dl_load(index, streams, text, size) }).map(drop)
}

/// Loads libtorch_cuda, which the linker dropped, for good. It must come before the first call into torch, which
/// remembers that there is no CUDA.
pub(crate) fn load_cuda() -> Result<(), String> {
    // SAFETY: a constant C string; the initialisers are those that `import torch` runs.
    let handle = unsafe { libc::dlopen(c"libtorch_cuda.so".as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL) };
    if !handle.is_null() {
        return Ok(());
    }
    // SAFETY: dlerror returns a C string that lives until the next call in this thread, or null.
    let words = unsafe { libc::dlerror() };
    if words.is_null() {
        return Err("libtorch_cuda.so cannot be loaded".to_owned());
    }
    // SAFETY: not null, see above.
    Err(unsafe { CStr::from_ptr(words) }.to_string_lossy().into_owned())
}

/// A copy of standard output for the protocol; whatever a library prints there goes to standard error.
pub(crate) fn take_stdout() -> std::io::Result<std::fs::File> {
    use std::os::fd::AsFd as _;
    let answers = std::io::stdout().as_fd().try_clone_to_owned()?;
    // SAFETY: both descriptors are open.
    if unsafe { libc::dup2(2, 1) } < 0 {
        return Err(std::io::Error::last_os_error());
    }
    Ok(answers.into())
}

/// Ends the process without the destructors of libraries, which side streams may still use.
pub(crate) fn exit() -> ! {
    // SAFETY: ends the process; everything was written and flushed.
    unsafe { libc::_exit(0) }
}
