# PyTorch: versions, flags, threads, load.
import threading

LIBRARY = "torch"


def set_threads(n):
    torch.set_num_threads(n)


def set_flag(name, value):
    """Sets a flag of the request; returns what the library says afterwards."""
    backends = torch.backends
    if name == "deterministic_algorithms":
        # What torch.use_deterministic_algorithms calls for ATen. It also tells torch.compile, whose import takes
        # seconds and of which nothing is used here.
        torch._C._set_deterministic_algorithms(value != 0, warn_only=value == 2)
        if not torch.are_deterministic_algorithms_enabled():
            return 0
        return 2 if torch.is_deterministic_algorithms_warn_only_enabled() else 1
    if name == "cudnn.benchmark":
        backends.cudnn.benchmark = bool(value)
        return int(backends.cudnn.benchmark)
    if name == "cudnn.allow_tf32":
        backends.cudnn.allow_tf32 = bool(value)
        return int(backends.cudnn.allow_tf32)
    if name == "cuda.matmul.allow_tf32":
        backends.cuda.matmul.allow_tf32 = bool(value)
        return int(backends.cuda.matmul.allow_tf32)
    raise ValueError("unknown flag %s" % name)


def describe(device):
    """What computes: versions and paths as the library itself names them."""
    known = {
        "version": torch.__version__,
        "threads": torch.get_num_threads(),
        "cpu_capability": getattr(torch.backends.cpu, "get_cpu_capability", lambda: None)(),
        "devices": torch.cuda.device_count() if torch.cuda.is_available() else 0,
    }
    if device.startswith("cuda"):
        index = torch.device(device).index or 0
        properties = torch.cuda.get_device_properties(index)
        known["device_name"] = properties.name
        known["sm_count"] = properties.multi_processor_count
        known["threads_per_sm"] = properties.max_threads_per_multi_processor
        known["capability"] = "%d.%d" % (properties.major, properties.minor)
        known["cuda"] = torch.version.cuda
        known["hip"] = getattr(torch.version, "hip", None)
        known["cudnn"] = torch.backends.cudnn.version()
    return known


def check_device(device):
    """The reason why this device can't be used, or nothing."""
    if device.startswith("cuda"):
        if not torch.cuda.is_available():
            built = torch.version.cuda or getattr(torch.version, "hip", None)
            return "no-device", "this torch was built without CUDA" if not built else "no usable CUDA device"
        if (torch.device(device).index or 0) >= torch.cuda.device_count():
            return "no-device", "there are %d CUDA devices" % torch.cuda.device_count()
    if device == "mps" and not torch.backends.mps.is_available():
        return "no-device", "no Metal device"
    return None


def start_load(device, streams):
    """Keeps `streams` side streams of a GPU (threads of a CPU) busy with products; returns what stops it."""
    stop = threading.Event()

    def work():
        a = torch.ones(256, 256, device=device)
        if device.startswith("cuda"):
            with torch.cuda.stream(torch.cuda.Stream(device)):
                while not stop.is_set():
                    a = (a @ a).clamp(-1, 1)
                    torch.cuda.current_stream().synchronize()
        while not stop.is_set():
            a = (a @ a).clamp(-1, 1)

    for _ in range(streams):
        threading.Thread(target=work, daemon=True).start()
    return stop


ALERT = "does not have a deterministic implementation"
