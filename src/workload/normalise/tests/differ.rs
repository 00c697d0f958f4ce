//! What may be told apart, however alike it looks.

use super::assert_differ;

macro_rules! differ {
    ($($name:ident: $a:expr => $b:expr;)*) => {
        $(#[test] fn $name() { assert_differ($a, $b); })*
    };
}

differ! {
    a_number: "x = 0.1\n" => "x = 0.10000001\n";
    an_integer_and_a_float: "x = 1\n" => "x = 1.0\n";
    a_zero_and_its_negative: "x = 0.0\n" => "x = -0.0\n";
    long_integers: "x = 123456789012345678901234567890\n" => "x = 123456789012345678901234567891\n";
    a_text: "x = 'a'\n" => "x = 'b'\n";
    a_text_and_bytes: "x = 'a'\n" => "x = b'a'\n";
    a_text_and_a_number: "x = '1'\n" => "x = 1\n";
    lone_surrogates: "x = '\\ud800'\n" => "x = '\\ud801'\n";
    lone_surrogates_in_f_strings: "x = f'\\ud800{y}'\n" => "x = f'\\ud801{y}'\n";
    white_space_in_a_text: "x = 'a b'\n" => "x = 'a  b'\n";
    a_hash_in_a_text: "x = 'a # b'\n" => "x = 'a'  # b'\n";
    a_text_and_a_list_of_two: "x = ['a' 'b']\n" => "x = ['a', 'b']\n";
    a_conversion: "x = f'{y!r}'\n" => "x = f'{y!s}'\n";
    a_format: "x = f'{y:.2f}'\n" => "x = f'{y:.3f}'\n";
    a_shown_expression: "def f(a):\n    x = a\n    return f'{x=}'\n" => "def f(a):\n    y = a\n    return f'{y=}'\n";
    white_space_of_a_shown_expression: "x = f'{y = }'\n" => "x = f'{y=}'\n";
    an_order: "a()\nb()\n" => "b()\na()\n";
    the_order_of_imports: "import a\nimport b\n" => "import b\nimport a\n";
    an_unused_import: "import numpy\nx = 1\n" => "x = 1\n";
    another_name_of_an_import: "from a import b as c\n" => "from a import c\n";
    the_order_of_keywords: "f(a=g(), b=h())\n" => "f(b=h(), a=g())\n";
    the_order_of_a_dict: "x = {'a': 1, 'b': 2}\n" => "x = {'b': 2, 'a': 1}\n";
    a_set_and_a_list: "x = {1, 2}\n" => "x = [1, 2]\n";
    a_list_and_a_generator: "x = f([i for i in y])\n" => "x = f(i for i in y)\n";
    grouping: "x = a + (b + c)\n" => "x = a + b + c\n";
    a_chain_of_comparisons: "x = a < b < c\n" => "x = (a < b) < c\n";
    powers: "x = -1 ** y\n" => "x = (-1) ** y\n";
    an_operator: "x = a / b\n" => "x = a // b\n";
    in_place: "x += y\n" => "x = x + y\n";
    indentation: "if a:\n    b()\nc()\n" => "if a:\n    b()\n    c()\n";
    an_else_of_another: "if a:\n    if b: x()\n    else: y()\n" => "if a:\n    if b: x()\nelse: y()\n";
    a_default: "def f(a=1): pass\n" => "def f(a=2): pass\n";
    a_decorator: "@d\ndef f(): pass\n" => "def f(): pass\n";
    an_async_function: "async def f(): pass\n" => "def f(): pass\n";
    an_assertion: "assert f()\n" => "f()\n";
    a_yield: "def f():\n    return 1\n    yield\n" => "def f():\n    return 1\n";
    an_attribute: "x.a = 1\n" => "x.b = 1\n";
    the_name_of_a_function: "def f(): pass\n" => "def g(): pass\n";
    the_name_of_a_class: "class A: pass\n" => "class B: pass\n";
    the_name_of_a_parameter: "def f(a): return a\n" => "def f(b): return b\n";
    the_name_of_a_keyword_parameter: "def f(*, a): return a\n" => "def f(*, b): return b\n";
    a_parameter_before_the_slash: "def f(a, /): return a\n" => "def f(a): return a\n";
    the_name_of_an_attribute_of_a_class: "class C:\n    x = 1\n" => "class C:\n    y = 1\n";
    swapped_locals: "def f(a):\n    x, y = a\n    return x - y\n" => "def f(a):\n    x, y = a\n    return y - x\n";
    a_local_and_a_global: "x = 1\ndef f():\n    x = 2\n    return x\n" => "x = 1\ndef f():\n    y = 2\n    return x\n";
    a_global_statement: "x = 1\ndef f():\n    global x\n    x = 2\n" => "x = 1\ndef f():\n    x = 2\n";
    a_nonlocal_statement: "def f():\n    x = 1\n    def g():\n        nonlocal x\n        x = 2\n    g()\n    return x\n" => "def f():\n    x = 1\n    def g():\n        x = 2\n    g()\n    return x\n";
    two_variables_and_one: "def f():\n    a = 1\n    b = 2\n    return a\n" => "def f():\n    a = 1\n    a = 2\n    return a\n";
    names_seen_by_locals: "def f():\n    a = 1\n    return locals()\n" => "def f():\n    b = 1\n    return locals()\n";
    names_seen_by_vars: "def f():\n    a = 1\n    return vars()\n" => "def f():\n    b = 1\n    return vars()\n";
    names_seen_by_eval: "def f(t):\n    a = 1\n    return eval(t)\n" => "def f(t):\n    b = 1\n    return eval(t)\n";
    names_seen_by_an_inner_eval: "def f(t):\n    a = 1\n    def g():\n        a\n        return eval(t)\n    return g\n" => "def f(t):\n    b = 1\n    def g():\n        b\n        return eval(t)\n    return g\n";
    names_seen_by_eval_under_another_name: "e = eval\ndef f(t):\n    a = 1\n    return e(t)\n" => "e = eval\ndef f(t):\n    b = 1\n    return e(t)\n";
    names_seen_by_frames: "import sys\ndef g(): return sys._getframe(1).f_locals\ndef f():\n    a = 1\n    return g()\n" => "import sys\ndef g(): return sys._getframe(1).f_locals\ndef f():\n    b = 1\n    return g()\n";
    names_seen_by_globals: "lr = 1\nx = globals()\n" => "rate = 1\nx = globals()\n";
    names_seen_by_sys_modules: "import sys\nlr = 1\nm = sys.modules['x']\n" => "import sys\nrate = 1\nm = sys.modules['x']\n";
    names_of_exports: "lr = 1\n__all__ = ['x']\n" => "rate = 1\n__all__ = ['x']\n";
    names_in_texts: "lr = 1\nx = getattr(m, 'lr')\n" => "rate = 1\nx = getattr(m, 'lr')\n";
    a_variable_that_hides_a_built_in: "if a: sum = f\nprint(sum([1]))\n" => "if a: total = f\nprint(total([1]))\n";
    a_variable_beside_a_star: "from m import *\nlr = 1\n" => "from m import *\nrate = 1\n";
    a_variable_of_a_class_body: "x = 1\nclass C:\n    x = x\n" => "y = 1\nclass C:\n    x = y\n";
    a_special_name: "__version__ = 1\n" => "__release__ = 1\n";
    an_underscore: "x = 1\ny = x\n" => "_x = 1\ny = _x\n";
    a_mangled_name: "class C:\n    def f(self):\n        __a = 1\n        return __a\n" => "class C:\n    def f(self):\n        __b = 1\n        return __b\n";
    a_lambda_called_by_keyword: "f = lambda x: x\nf(x=1)\n" => "f = lambda y: y\nf(x=1)\n";
    a_lambda_that_has_a_name: "f = lambda x: x\n" => "f = lambda y: y\n";
    a_lambda_with_a_default: "f = lambda x=1: x\n" => "f = lambda y=1: y\n";
    a_significant_parameter: "f = lambda intermediate_result: g(intermediate_result)\n" => "f = lambda r: g(r)\n";
    annotations_of_a_class: "class C:\n    x: int = 1\n" => "class C:\n    x = 1\n";
    annotations_of_a_class_alone: "class C:\n    x: int\n" => "class C:\n    pass\n";
    annotations_that_are_read: "def f(a: int): pass\nf.__annotations__\n" => "def f(a): pass\nf.__annotations__\n";
    annotations_that_are_inspected: "import inspect\ndef f(a: int): pass\n" => "import inspect\ndef f(a): pass\n";
    annotations_that_do_something: "def f(a: g()): pass\n" => "def f(a): pass\n";
    annotations_that_may_fail: "def f(a: Undefined): pass\n" => "def f(a): pass\n";
    a_declaration_that_makes_a_local: "x = 1\ndef f():\n    x: int\n    return x\n" => "x = 1\ndef f():\n    return x\n";
    docstrings_that_are_read: "def f():\n    'seven'\nx = len(f.__doc__ or '')\n" => "def f():\n    'eight!'\nx = len(f.__doc__ or '')\n";
    docstrings_that_are_asked_for_by_text: "def f():\n    'seven'\nx = getattr(f, '__doc__')\n" => "def f():\n    pass\nx = getattr(f, '__doc__')\n";
    a_first_text_and_a_value: "def f():\n    return 'a'\n" => "def f():\n    'a'\n";
    what_torch_script_reads: "import torch\n@torch.jit.script\ndef f(a):\n    # type: (int) -> int\n    return a\n" => "import torch\n@torch.jit.script\ndef f(a):\n    # type: (float) -> float\n    return a\n";
    its_own_text: "print(open(__file__).read())\n" => "print(open(__file__).read())  # twice\n";
    its_own_text_by_a_path: "from pathlib import Path\nx = Path(__file__).resolve().read_text()\n" => "from pathlib import Path\nx = Path(__file__).resolve().read_text()  # twice\n";
    lines: "import inspect\nx = inspect.currentframe().f_lineno\n" => "import inspect\n\nx = inspect.currentframe().f_lineno\n";
    a_foreign_encoding: "# coding: latin-1\nx = 1\n" => "# coding: latin-2\nx = 1\n";
    a_type_parameter: "def f[T](a): return T\n" => "def f[S](a): return S\n";
    a_pattern: "match x:\n    case A(b=1): pass\n" => "match x:\n    case A(c=1): pass\n";
    a_value_and_a_capture: "match x:\n    case a.b: pass\n" => "match x:\n    case a: pass\n";
    a_finally: "try:\n    f()\nfinally:\n    g()\n" => "try:\n    f()\nfinally:\n    pass\n";
    exception_groups: "try:\n    f()\nexcept* A:\n    g()\n" => "try:\n    f()\nexcept A:\n    g()\n";
    a_star: "f(*a)\n" => "f(a)\n";
    a_slice: "x[1:]\n" => "x[:1]\n";
    the_first_iterable_of_a_comprehension: "def f(x):\n    return [x for x in x]\n" => "def f(x):\n    return [y for y in y]\n";
    what_a_walrus_binds: "def f(z):\n    [y := x for x in z]\n    return y\n" => "def f(z):\n    [y := x for x in z]\n    return x\n";
}
