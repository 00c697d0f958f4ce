//! Calls of NVML that `nvml-wrapper` loads and has no method for.

use std::ffi::c_uint;

use nvml_wrapper::Device;
use nvml_wrapper::error::{NvmlError, nvml_sym, nvml_try};

/// What `nvmlDeviceGetRemappedRows` says.
pub(super) struct RemappedRows {
    pub(super) correctable: u32,
    pub(super) uncorrectable: u32,
    pub(super) pending: bool,
    pub(super) failure: bool,
}

/// `nvmlDeviceGetRemappedRows` (Ampere and later).
#[expect(unsafe_code, reason = "a call of the NVML library")]
pub(super) fn remapped_rows(device: &Device<'_>) -> Result<RemappedRows, NvmlError> {
    let call = nvml_sym(device.nvml().lib().nvmlDeviceGetRemappedRows.as_ref())?;
    let [mut correctable, mut uncorrectable, mut pending, mut failure]: [c_uint; 4] = [0; 4];
    // SAFETY: the handle is of this NVML session, and the four pointers are to live integers of the type in nvml.h.
    nvml_try(unsafe {
        call(device.handle(), &mut correctable, &mut uncorrectable, &mut pending, &mut failure)
    })?;
    Ok(RemappedRows { correctable, uncorrectable, pending: pending != 0, failure: failure != 0 })
}

/// `nvmlDeviceGetGpuInstanceId` of a MIG device.
#[expect(unsafe_code, reason = "a call of the NVML library")]
pub(super) fn gpu_instance_id(device: &Device<'_>) -> Result<u32, NvmlError> {
    let call = nvml_sym(device.nvml().lib().nvmlDeviceGetGpuInstanceId.as_ref())?;
    let mut id: c_uint = 0;
    // SAFETY: the handle is of this NVML session, and the pointer is to a live integer.
    nvml_try(unsafe { call(device.handle(), &mut id) })?;
    Ok(id)
}

/// `nvmlDeviceGetComputeInstanceId` of a MIG device.
#[expect(unsafe_code, reason = "a call of the NVML library")]
pub(super) fn compute_instance_id(device: &Device<'_>) -> Result<u32, NvmlError> {
    let call = nvml_sym(device.nvml().lib().nvmlDeviceGetComputeInstanceId.as_ref())?;
    let mut id: c_uint = 0;
    // SAFETY: the handle is of this NVML session, and the pointer is to a live integer.
    nvml_try(unsafe { call(device.handle(), &mut id) })?;
    Ok(id)
}

/// Total and used bytes by `nvmlDeviceGetMemoryInfo`, the first version of the call.
#[expect(unsafe_code, reason = "a call of the NVML library")]
pub(super) fn memory(device: &Device<'_>) -> Result<(u64, u64), NvmlError> {
    let call = nvml_sym(device.nvml().lib().nvmlDeviceGetMemoryInfo.as_ref())?;
    // SAFETY: `nvmlMemory_t` is three integers, for which zero is a value; the handle is of this NVML session.
    let info = unsafe {
        let mut info = std::mem::zeroed();
        nvml_try(call(device.handle(), &mut info))?;
        info
    };
    Ok((info.total, info.used))
}

/// The state in `nvmlDeviceGetGpuFabricInfo`: `NVML_GPU_FABRIC_STATE_*` of nvml.h.
#[expect(unsafe_code, reason = "a call of the NVML library")]
pub(super) fn fabric_state(device: &Device<'_>) -> Result<&'static str, NvmlError> {
    let call = nvml_sym(device.nvml().lib().nvmlDeviceGetGpuFabricInfo.as_ref())?;
    // SAFETY: `nvmlGpuFabricInfo_t` is integers and an array of bytes, for which zero is a value; the handle is of
    // this NVML session.
    let info = unsafe {
        let mut info = std::mem::zeroed();
        nvml_try(call(device.handle(), &mut info))?;
        info
    };
    match info.state {
        0 => Err(NvmlError::NotSupported),
        1 => Ok("not_started"),
        2 => Ok("in_progress"),
        3 => Ok("completed"),
        other => Err(NvmlError::UnexpectedVariant(other.into())),
    }
}
