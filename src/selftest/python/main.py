# Runs the request: each operation as often as asked, one line of the answer each.


def kind_of(error):
    """In what way an operation failed: the word of the protocol, and what is compared between machines."""
    text = (str(error) or type(error).__name__).splitlines()[0][:200]
    name = type(error).__name__
    if isinstance(error, MemoryError) or "OutOfMemory" in name or "can't allocate memory" in str(error):
        return "out-of-memory", text, "out-of-memory"
    if ALERT in text:
        return "nondeterministic", text, text.split(" ")[0]
    if "not implemented" in text.lower() or isinstance(error, (NotImplementedError, AttributeError)):
        return "unsupported", text, "unsupported"
    return "error", text, name


def compute(id, device, rounding="exact", dtype=None):
    native, function = operation.by_id[id]
    return function(Context(native, dtype or native, device, rounding))


def digest_of(id, outputs):
    leaves = {name: leaf(name, *content(value)) for name, value in outputs.items()}
    return operation_digest(id, list(leaves.values())).hex(), {n: d.hex()[:16] for n, d in leaves.items()}


def signatures(asked, outputs):
    """The error signature of each output; for products also which rounding of the operands explains it."""
    if not asked.get("reference"):
        return {}
    reference = compute(asked["id"], "cpu", dtype="f64")
    found = {name: {"signature": signature(value, reference[name])} for name, value in outputs.items()}
    if asked.get("hypotheses"):
        rounded_references = {"exact": reference}
        for rounding in ["tf32", "tf32-truncated", "bf16"]:
            rounded_references[rounding] = compute(asked["id"], "cpu", rounding, "f64")
        for name, value in outputs.items():
            found[name]["hypotheses"] = {
                rounding: round(relative_l2(value, other[name]), 1)
                for rounding, other in rounded_references.items()
            }
    return found


def measure(asked, request):
    """One operation: `runs` times, and on until `seconds` are over where it is prone to races; a second result ends
    the repeats, since one is enough to know."""
    id, device = asked["id"], request["device"]
    rounding = request.get("simulate") or "exact"
    if not asked.get("hypotheses"):
        rounding = "exact"
    forget()
    counts, first, started = {}, None, time.perf_counter()
    runs, least, most = 0, asked["runs"], asked.get("most_runs", asked["runs"])
    try:
        while True:
            outputs = compute(id, device, rounding)
            digest, leaves = digest_of(id, outputs)
            counts.setdefault(digest, [0, leaves])[0] += 1
            first = first or outputs
            runs += 1
            if runs >= most or (runs >= least and len(counts) > 1):
                break
            if runs >= least and time.perf_counter() - started > asked.get("seconds", 0.0):
                break
    except Exception as error:
        kind, message, compared = kind_of(error)
        digest = hashlib.sha256(("driftlock/raised/1\n%s\n%s" % (id, compared)).encode()).hexdigest()
        return {"raised": {"kind": kind, "message": message}, "digest": digest, "runs": runs}
    took = time.perf_counter() - started
    digest, (often, leaves) = min(counts.items(), key=lambda item: (-item[1][0], item[0]))
    result = {
        "digest": digest,
        "runs": runs,
        "distinct": len(counts),
        "often": often,
        "outputs": {name: {"digest": leaf_digest} for name, leaf_digest in leaves.items()},
        "ms": round(1000.0 * took / runs, 3),
    }
    if request.get("signatures"):
        try:
            for name, more in signatures(asked, first).items():
                result["outputs"][name].update(more)
        except Exception as error:
            result["no_signature"] = (str(error) or type(error).__name__).splitlines()[0][:200]
    if asked.get("values"):
        result["bytes"] = {name: hashlib.sha256(content(value)[2]).hexdigest() for name, value in first.items()}
    return result


def main():
    request = json.loads(sys.argv[1])
    # The libraries are imported, and nothing was asked of them yet. The end of the input is the end of driftlock.
    if request.get("wait") and not sys.stdin.readline():
        return
    # First: some libraries fix their threads when they look at a device.
    if request.get("threads"):
        set_threads(request["threads"])
    wrong = check_device(request["device"])
    if wrong:
        say("failed", kind=wrong[0], message=wrong[1])
        return
    flags = {}
    for name, value in sorted(request.get("flags", {}).items()):
        flags[name] = set_flag(name, value)
        if flags[name] != value:
            say("failed", kind="flag", message="%s is %r after it was set to %r" % (name, flags[name], value))
            return
    say("hello", protocol=1, engine="python", library=LIBRARY, flags=flags, python=sys.version.split()[0],
        **describe(request["device"]))
    load = start_load(request["device"], request["load"]) if request.get("load") else None
    for asked in request["operations"]:
        say("start", id=asked["id"])
        if asked["id"] in operation.by_id:
            say("operation", id=asked["id"], **measure(asked, request))
        else:
            say("operation", id=asked["id"], runs=0, digest="", raised={"kind": "unsupported", "message": "not in this engine"})
    if load:
        load.set()
    say("done")
    # Taking the libraries down takes half a second, and all is said.
    sys.stderr.flush()
    os._exit(0)


main()
