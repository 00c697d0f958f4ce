"""Files of the standard library, each with the same program in another layout and with other programs made of it.

One JSON object a line: `name`, `text`, `other` (by ast.unparse: the same tree), and `mutants`, whose byte code differs
from that of the file in more than line numbers. Deterministic: the seed is the file's name.
"""
import ast, json, os, random, re, sys, types

HELD = re.compile(r"\{[^{}]*=\s*(![rsa])?(:[^{}]*)?\}|\\[uU]0*d[89a-f]", re.I)   # f"{x=}", lone surrogates


def signature(code):
    """What runs: no line numbers."""
    consts = tuple(signature(c) if isinstance(c, types.CodeType) else (type(c).__name__, repr(c)) for c in code.co_consts)
    counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags, len(code.co_varnames))
    named = code.co_varnames[:code.co_argcount + code.co_kwonlyargcount]
    return (code.co_code, consts, code.co_names, counts, named, code.co_name, getattr(code, "co_exceptiontable", b""))


def noted(tree):
    """Nodes that an annotation or a docstring holds."""
    out = set()
    for node in ast.walk(tree):
        for note in ("annotation", "returns"):
            if isinstance(getattr(node, note, None), ast.AST):
                out.update(id(n) for n in ast.walk(getattr(node, note)))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            out.update((id(node), id(node.value)))
        if isinstance(node, ast.JoinedStr):   # what is spelled in it is text for ast.unparse
            out.update(id(n) for n in ast.walk(node))
    return out


def mutate(tree, rng):
    """Changes one thing; False where it found nothing to change."""
    held = noted(tree)
    nodes = [n for n in ast.walk(tree) if id(n) not in held]
    kind = rng.choice(["name", "name", "name", "number", "operator", "drop", "swap", "attribute", "keyword", "scope"])
    if kind == "name":
        names = [n for n in nodes if isinstance(n, ast.Name)]
        if len(names) < 2: return False
        node = rng.choice(names); node.id = rng.choice([rng.choice(names).id, "zz"])
    elif kind == "number":
        found = [n for n in nodes if isinstance(n, ast.Constant) and type(n.value) in (int, float, str, bytes)]
        if not found: return False
        node = rng.choice(found)
        node.value = node.value + 1 if isinstance(node.value, (int, float)) else node.value[:0] if node.value else type(node.value)()
    elif kind == "operator":
        found = [n for n in nodes if isinstance(n, (ast.BinOp, ast.AugAssign))]
        if not found: return False
        rng.choice(found).op = rng.choice([ast.Add(), ast.Sub(), ast.Mult(), ast.MatMult()])
    elif kind in ("drop", "swap"):
        bodies = [b for n in ast.walk(tree) for b in (getattr(n, "body", None), getattr(n, "orelse", None)) if isinstance(b, list) and len(b) > 1]
        if not bodies: return False
        body = rng.choice(bodies); i = rng.randrange(len(body) - 1)
        if id(body[i]) in held or id(body[i + 1]) in held: return False
        if kind == "drop": del body[i]
        else: body[i], body[i + 1] = body[i + 1], body[i]
    elif kind == "attribute":
        found = [n for n in nodes if isinstance(n, ast.Attribute)]
        if not found: return False
        rng.choice(found).attr = "zz"
    elif kind == "keyword":
        found = [n for n in nodes if isinstance(n, ast.keyword) and n.arg]
        if not found: return False
        rng.choice(found).arg = "zz"
    else:
        found = [n for n in nodes if isinstance(n, (ast.Global, ast.Nonlocal))]
        if not found: return False
        rng.choice(found).names[0] = "zz"
    return True


def main(count, per_file):
    folder = os.environ.get("MUTANTS_OF") or os.path.dirname(os.__file__)
    files = sorted(f for f in os.listdir(folder) if f.endswith(".py"))
    random.Random(count).shuffle(files)
    for name in files[:count]:
        text = open(os.path.join(folder, name), encoding="utf-8").read()
        if HELD.search(text): continue
        try: tree = ast.parse(text)
        except SyntaxError: continue
        other = ast.unparse(tree)
        own = signature(compile(other, name, "exec", dont_inherit=True))
        rng = random.Random(name); mutants = []
        for _ in range(per_file):
            changed = ast.parse(other)
            if not mutate(changed, rng): continue
            try: changed = ast.unparse(changed); code = compile(changed, name, "exec", dont_inherit=True)
            except (SyntaxError, ValueError): continue
            if signature(code) != own: mutants.append(changed)
        print(json.dumps({"name": name, "text": text, "other": other, "mutants": mutants}))


main(int(sys.argv[1]), int(sys.argv[2]))
