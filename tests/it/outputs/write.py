"""Writes tensors in every form of file into the folder that is the first argument, and prints, as JSON, what
driftlock has to say of them, computed by the recipe of docs/reference/outputs.md from what numpy and torch read back
out of the files."""

import hashlib
import json
import math
import os
import struct
import sys
import zipfile

import numpy as np
import torch

folder = sys.argv[1]
expected = {}


def path(name):
    return os.path.join(folder, name)


def digest(dtype, shape, data):
    shape = "[" + ",".join(map(str, shape)) + "]"
    inner = hashlib.sha256(data).hexdigest()
    return "sha256:" + hashlib.sha256(f"{dtype} {shape} {inner}\n".encode()).hexdigest()


def mix(bits):
    z = bits.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def sketch(numbers, bits):
    """Of a flat array of doubles and one of the elements' bits."""
    finite = numbers[np.isfinite(numbers)]
    n = len(numbers)
    at = range(n) if n <= 64 else [i * (n - 1) // 63 for i in range(64)]
    norm = math.sqrt(math.fsum(float(x) * float(x) for x in finite))
    return {
        "norm": norm if math.isfinite(norm) else None,
        "min": float(finite.min()) if len(finite) else None,
        "max": float(finite.max()) if len(finite) else None,
        "nans": int(np.isnan(numbers).sum()),
        "infs": int(np.isinf(numbers).sum()),
        "multiset": format(int(mix(bits).sum(dtype=np.uint64)), "016x"),
        "samples": [float(numbers[i]).hex() for i in at],
    }


def of_numpy(array):
    shape = array.shape
    array = array.astype(array.dtype.newbyteorder("<"), order="C")
    name = str(array.dtype)
    told = {"dtype": name, "shape": list(shape), "digest": digest(name, shape, array.tobytes())}
    kind = array.dtype.kind
    if kind in "mM":
        array = array.view(np.int64)
    if kind in "biufcmM":
        flat = np.ascontiguousarray(array).reshape(-1)
        if kind == "c":
            flat = flat.view(np.float32 if flat.dtype.itemsize == 8 else np.float64)
        bits = flat.view(f"u{flat.dtype.itemsize}")
        told["sketch"] = sketch(flat.astype(np.float64), bits)
    return told


def of_torch(tensor):
    name = str(tensor.dtype).removeprefix("torch.")
    shape = list(tensor.shape)
    flat = tensor.detach().resolve_conj().contiguous().reshape(-1)
    raw = flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""
    told = {"dtype": name, "shape": shape, "digest": digest(name, shape, raw)}
    parts = torch.view_as_real(flat).reshape(-1) if flat.is_complex() else flat
    numbers = parts.to(torch.float64).numpy()
    bits = np.frombuffer(raw, dtype=f"<u{parts.element_size()}")
    told["sketch"] = sketch(numbers, bits)
    return told


rng = np.random.default_rng(1)
arrays = {
    "f4": rng.standard_normal((7, 5, 3)).astype("f4"),
    "f8": rng.standard_normal(1000),
    "f2": rng.standard_normal((4, 4)).astype("f2"),
    "big": rng.standard_normal((3, 50)).astype(">f4"),
    "fortran": np.asfortranarray(rng.standard_normal((61, 43))),
    "fortran3": np.asfortranarray(rng.standard_normal((5, 6, 7)).astype(">f8")),
    "bool": rng.standard_normal(9) > 0,
    "i1": np.arange(-5, 5, dtype="i1"),
    "i2": np.arange(-5, 5, dtype=">i2"),
    "i4": np.arange(70, dtype="i4"),
    "i8": np.array([2**62, -(2**53) - 1, 3]),
    "u1": np.arange(10, dtype="u1"),
    "u2": np.arange(10, dtype="u2"),
    "u4": np.arange(10, dtype="u4"),
    "u8": np.array([2**64 - 1, 0], dtype="u8"),
    "c8": (rng.standard_normal(40) + 1j * rng.standard_normal(40)).astype("c8"),
    "c16": (rng.standard_normal(3) + 1j).astype(">c16"),
    "when": np.array(["2020-01-01T00:00:00", "1969-12-31"], dtype="M8[ns]"),
    "text": np.array(["a", "bcd", "é"], dtype=">U4"),
    "bytes": np.array([b"a", b"bc"]),
    "nonfinite": np.array([1.0, np.nan, -np.inf, np.inf, -2.0]),
    "extremes": np.array([1e300, -1e300, 1e-300, 1.0]),
    "tiny": np.array([5e-324, 1e-200]),
    "empty": np.zeros((0, 3), dtype="f4"),
    "scalar": np.array(2.5),
    "row": rng.standard_normal((2, 3, 4))[:, 1:, ::2].copy(),
}
for name, array in arrays.items():
    np.save(path(f"{name}.npy"), array)
    expected[f"{name}.npy"] = {"array": of_numpy(np.load(path(f"{name}.npy")))}
with open(path("v2.npy"), "wb") as f:
    np.lib.format.write_array(f, arrays["f4"], version=(2, 0))
expected["v2.npy"] = {"array": of_numpy(np.load(path("v2.npy")))}
with open(path("v3.npy"), "wb") as f:
    np.lib.format.write_array(f, arrays["f4"], version=(3, 0))
expected["v3.npy"] = {"array": of_numpy(np.load(path("v3.npy")))}
np.savez(path("stored.npz"), **arrays)
np.savez_compressed(path("deflated.npz"), **arrays)
for name in ["stored.npz", "deflated.npz"]:
    with np.load(path(name)) as z:
        expected[name] = {key: of_numpy(z[key]) for key in z.files}

record = np.zeros(3, dtype=[("a", "<f4"), ("b", "<i4", (2,))])
np.save(path("record.npy"), record)
text = "[('a', '<f4'), ('b', '<i4', (2,))]"
expected["record.npy"] = {
    "array": {"dtype": text, "shape": [3], "digest": digest(text, [3], record.tobytes())}
}

torch.manual_seed(1)
base = torch.randn(6, 8)
tensors = {
    "f32": base,
    "t": base.t(),
    "slice": base[1:5, 2:7:2],
    "expanded": torch.randn(4, 1).expand(4, 3),
    "channels_last": torch.randn(2, 3, 5, 7).to(memory_format=torch.channels_last),
    "permuted": torch.randn(3, 4, 5).permute(2, 0, 1),
    "f64": torch.randn(3, dtype=torch.float64),
    "f16": torch.randn(5).half(),
    "bf16": torch.randn(70).bfloat16(),
    "f8a": torch.randn(5).to(torch.float8_e4m3fn),
    "f8b": torch.randn(5).to(torch.float8_e5m2),
    "f8c": torch.randn(5).to(torch.float8_e4m3fnuz),
    "f8d": torch.randn(5).to(torch.float8_e5m2fnuz),
    "i64": torch.arange(4),
    "u16": torch.tensor([1, 2], dtype=torch.uint16),
    "bool": torch.tensor([True, False]),
    "c64": torch.randn(3, dtype=torch.complex64),
    "empty": torch.zeros(0),
    "scalar": torch.tensor(1.5),
}
torch.save(tensors, path("flat.pt"))
model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
model(torch.randn(5, 3)).sum().backward()
optimizer.step()
checkpoint = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3, "loss": 0.25}
torch.save(checkpoint, path("checkpoint.pt"))
torch.save(checkpoint, path("protocol4.pth"), pickle_protocol=4)
torch.save(model, path("module.pt"))
torch.save(torch.nn.Parameter(base), path("parameter.bin"))


def leaves(value, name):
    if isinstance(value, torch.Tensor):
        yield name or "tensor", of_torch(value)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, (list, tuple)):
        if value and all(isinstance(x, (int, float)) for x in value):
            whole = all(isinstance(x, int) for x in value)
            yield name, of_numpy(np.array(value, dtype="i8" if whole else "f8"))
        else:
            for i, inner in enumerate(value):
                yield from leaves(inner, f"{name}.{i}" if name else str(i))
    elif isinstance(value, (int, float)):
        yield name, of_numpy(np.array(value, dtype="i8" if isinstance(value, int) else "f8"))


for name in ["flat.pt", "checkpoint.pt", "protocol4.pth", "parameter.bin"]:
    expected[name] = dict(leaves(torch.load(path(name), weights_only=False), ""))
weights = torch.load(path("module.pt"), weights_only=False)[0].weight
expected["module.pt"] = {"_modules.0._parameters.weight": of_torch(weights)}

# safetensors, by its specification.
NAMES = {"float32": "F32", "float64": "F64", "float16": "F16", "bfloat16": "BF16", "int64": "I64", "bool": "BOOL",
         "uint16": "U16", "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2"}
header, data, inside = {"__metadata__": {"format": "pt"}}, b"", {}
for name, tensor in tensors.items():
    told = of_torch(tensor)
    if told["dtype"] not in NAMES:
        continue
    flat = tensor.contiguous().reshape(-1)
    raw = flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""
    header[name] = {"dtype": NAMES[told["dtype"]], "shape": told["shape"], "data_offsets": [len(data), len(data) + len(raw)]}
    data += raw
    inside[name] = told
text = json.dumps(header).encode()
with open(path("model.safetensors"), "wb") as f:
    f.write(struct.pack("<Q", len(text)) + text + data)
expected["model.safetensors"] = inside

# JSON and CSV.
metrics = {"loss": 0.1, "history": [{"step": 1, "loss": 1.5}, {"step": 2, "loss": float("nan")}], "note": "x",
           "grid": [[1, 2], [3, 4]]}
with open(path("metrics.json"), "w") as f:
    json.dump(metrics, f, indent=2)
column = lambda values: of_numpy(np.array(values, dtype="f8"))
text = lambda values: {"dtype": "text", "shape": [len(values)], "digest": digest("text", [len(values)], b"".join(v.encode() + b"\0" for v in values))}
note = {"dtype": "text", "shape": [], "digest": digest("text", [], b"x\0")}
expected["metrics.json"] = {"loss": column(0.1), "history[].step": column([1, 2]), "history[].loss": column([1.5, np.nan]),
                            "note": note, "grid[][]": column([1, 2, 3, 4])}
with open(path("log.jsonl"), "w") as f:
    f.write('{"step": 1, "loss": 0.5}\n{"step": 2, "loss": null}\n\n{"step": 3, "loss": 1e-3}')
expected["log.jsonl"] = {"step": column([1, 2, 3]), "loss": column([0.5, np.nan, 1e-3])}
with open(path("pred.csv"), "w") as f:
    f.write('id,score,"na""me"\n1,0.5,"a, b"\n2,,c\n3,inf,d\n')
expected["pred.csv"] = {"id": column([1, 2, 3]), "score": column([0.5, np.nan, np.inf]), 'na"me': text(["a, b", "c", "d"])}
np.savetxt(path("plain.tsv"), np.arange(6.0).reshape(3, 2), delimiter="\t")
expected["plain.tsv"] = {"0": column([0, 2, 4]), "1": column([1, 3, 5])}

# Named, and not read.
torch.save({"sparse": torch.eye(3).to_sparse(), "ok": torch.ones(2), "conj": torch.ones(2, dtype=torch.complex64).conj(),
            "array": np.ones(3), "quantised": torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8)}, path("odd.pt"))
torch.save(torch.ones(2), path("legacy.pt"), _use_new_zipfile_serialization=False)
np.save(path("object.npy"), np.array([{}, 1], dtype=object), allow_pickle=True)


class Evil:
    def __reduce__(self):
        return (os.system, (f"touch {path('RAN')}",))


torch.save({"w": torch.ones(2), "evil": Evil()}, path("evil.pt"))
with zipfile.ZipFile(path("bomb.npz"), "w", zipfile.ZIP_DEFLATED) as z:
    with z.open("x.npy", "w", force_zip64=True) as f:
        np.lib.format.write_array_header_1_0(f, {"descr": "<f4", "fortran_order": False, "shape": (300 * 2**20,)})
        zeros = bytes(2**20)
        for _ in range(1200):
            f.write(zeros)

json.dump(expected, sys.stdout)
