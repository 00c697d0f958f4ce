//! What Python, or the program, cannot tell apart.

use super::assert_same;

macro_rules! same {
    ($($name:ident: $a:expr => $b:expr;)*) => {
        $(#[test] fn $name() { assert_same($a, $b); })*
    };
}

same! {
    comments: "x = 1  # one\n# two\n" => "x = 1\n";
    blank_lines_and_spaces: "x=1\n\n\n\ny =  [1,2 ,3]\n" => "x = 1\ny = [1, 2, 3]\n";
    line_breaks: "x = f(1,\n      2,\n)\n" => "x = f(1, 2)\n";
    a_backslash_at_the_end_of_a_line: "x = 1 + \\\n  2\n" => "x = 1 + 2\n";
    semicolons: "x = 1; y = 2\n" => "x = 1\ny = 2\n";
    one_line_blocks: "if x: y()\n" => "if x:\n    y()\n";
    the_width_of_indentation: "if x:\n  y()\n" => "if x:\n\ty()\n";
    line_ends: "x = '''a\r\nb'''\r\ny = 2\r\n" => "x = '''a\nb'''\ny = 2\n";
    a_byte_order_mark: "\u{feff}x = 1\n" => "x = 1\n";
    quotes: "x = 'a\"b'\n" => "x = \"a\\\"b\"\n";
    raw_and_escaped: "x = r'a\\b'\n" => "x = 'a\\\\b'\n";
    escapes: "x = '\\x41\\n\\u00e9'\n" => "x = 'A\\\né'\n".replace("\\\n", "\\n").as_str();
    parts_of_a_text: "x = 'a' \"b\" 'c'\n" => "x = 'abc'\n";
    parts_of_bytes: "x = b'a' b'b'\n" => "x = b'ab'\n";
    parts_of_an_f_string: "x = f'a{y}' 'b'\n" => "x = f\"a{y}b\"\n";
    parentheses: "x = (1 + 2)\nreturn_ = ((3))\n" => "x = 1 + 2\nreturn_ = 3\n";
    parentheses_of_a_tuple: "x = (1, 2)\nfor (a, b) in (c, d): pass\n" => "x = 1, 2\nfor a, b in c, d: pass\n";
    parentheses_of_with: "with (open('a') as f, open('b') as g):\n    h(f, g)\n" => "with open('a') as f, open('b') as g:\n    h(f, g)\n";
    closing_commas: "x = [1, 2,]\nf(1, 2,)\n" => "x = [1, 2]\nf(1, 2)\n";
    hexadecimal: "x = 0x10\ny = 0XfF\nz = 0b101\n" => "x = 16\ny = 255\nz = 5\n";
    long_hexadecimal: "x = 0xFFFF_FFFFffffffffffff00000000000000000001\ny = 0b1" => "x = 1461501637330902918203683623790463405026757836801\ny = 1";
    underscores_of_numbers: "x = 1_000\ny = 1_0.5\n" => "x = 1000\ny = 10.5\n";
    exponents: "x = 1e3\ny = 1E-2\nz = .5\n" => "x = 1000.0\ny = 0.01\nz = 0.50\n";
    imaginary: "x = 1J\n" => "x = 1.0j\n";
    docstrings: "'''A module.'''\ndef f():\n    '''A function.'''\n    return 1\nclass C:\n    '''A class.'''\n    x = 1\n" => "def f():\n    return 1\nclass C:\n    x = 1\n";
    a_docstring_alone: "def f():\n    '''Nothing yet.'''\n" => "def f():\n    pass\n";
    texts_that_are_no_values: "x = 1\n'''a note'''\ny = 2\n" => "x = 1\ny = 2\n";
    an_ellipsis_for_a_body: "def f(): ...\n" => "def f():\n    pass\n";
    pass_beside_others: "if x:\n    pass\n    y()\n" => "if x:\n    y()\n";
    else_pass: "if x:\n    y()\nelse:\n    pass\n" => "if x:\n    y()\n";
    for_else_pass: "for i in z:\n    y(i)\nelse:\n    pass\n" => "for i in z:\n    y(i)\n";
    elif: "if a: x()\nelif b: y()\nelse: z()\n" => "if a:\n    x()\nelse:\n    if b:\n        y()\n    else:\n        z()\n";
    return_none: "def f():\n    return None\n" => "def f():\n    return\n";
    imports_in_one_line: "import os, sys\n" => "import os\nimport sys\n";
    empty_base_classes: "class C(): x = 1\n" => "class C:\n    x = 1\n";
    annotations_of_parameters: "import numpy as np\ndef f(a: int, *b: str, c: 'np.ndarray' = 1, **d: list[int | None]) -> np.ndarray:\n    return a\n" => "import numpy as np\ndef f(a, *b, c=1, **d):\n    return a\n";
    annotations_of_locals: "def f():\n    x: int = 1\n    y: Undefined = 2\n    return x + y\n" => "def f():\n    x = 1\n    y = 2\n    return x + y\n";
    declarations_of_locals: "def f():\n    x: int\n    x = 1\n    return x\n" => "def f():\n    x = 1\n    return x\n";
    annotations_of_a_module: "x: int = 1\n" => "x = 1\n";
    annotations_of_attributes: "class C:\n    def f(self):\n        self.x: int = 1\n" => "class C:\n    def f(self):\n        self.x = 1\n";
    locals: "def f(n):\n    total = 0\n    for i in range(n):\n        total += i\n    return total\n" => "def f(n):\n    s = 0\n    for k in range(n):\n        s += k\n    return s\n";
    locals_of_methods: "class C:\n    def f(self, n):\n        t = n + self.a\n        return t\n" => "class C:\n    def f(self, n):\n        result = n + self.a\n        return result\n";
    locals_of_closures: "def f():\n    n = 0\n    def g():\n        nonlocal n\n        n += 1\n        return n\n    return g\n" => "def f():\n    count = 0\n    def g():\n        nonlocal count\n        count += 1\n        return count\n    return g\n";
    a_local_that_hides_a_built_in: "def f(a):\n    sum = a + 1\n    return sum\n" => "def f(a):\n    total = a + 1\n    return total\n";
    locals_of_with_except_and_walrus: "def f():\n    with open('a') as h:\n        while (c := h.read(1)):\n            try:\n                g(c)\n            except ValueError as e:\n                print(e)\n" => "def f():\n    with open('a') as handle:\n        while (char := handle.read(1)):\n            try:\n                g(char)\n            except ValueError as error:\n                print(error)\n";
    locals_of_patterns: "def f(x):\n    match x:\n        case [a, *b]: return a\n        case {'k': c, **d}: return c, d\n        case P(q=e) as w: return e, w\n" => "def f(x):\n    match x:\n        case [one, *rest]: return one\n        case {'k': value, **more}: return value, more\n        case P(q=inner) as whole: return inner, whole\n";
    comprehensions: "def f(xs):\n    return [x * 2 for x in xs if x], {k: v for k, v in xs}\n" => "def f(xs):\n    return [y * 2 for y in xs if y], {a: b for a, b in xs}\n";
    comprehensions_of_a_class: "class C:\n    n = [i for i in range(3)]\n" => "class C:\n    n = [j for j in range(3)]\n";
    lambdas: "f = sorted(z, key=lambda x: x[1])\n" => "f = sorted(z, key=lambda pair: pair[1])\n";
    parameters_that_no_caller_names: "def f(a, /, *args, **kwargs):\n    return g(a, *args, **kwargs)\n" => "def f(x, /, *rest, **options):\n    return g(x, *rest, **options)\n";
    variables_of_the_script: "import torch\nlr = 0.1\nfor i in range(3):\n    print(lr * i)\n" => "import torch\nrate = 0.1\nfor step in range(3):\n    print(rate * step)\n";
    variables_of_the_script_in_functions: "n = 3\ndef f():\n    global n\n    n += 1\n    return n\n" => "count = 3\ndef f():\n    global count\n    count += 1\n    return count\n";
    variables_of_the_script_with_a_main: "lr = 0.1\nif __name__ == '__main__':\n    print(lr)\n" => "rate = 0.1\nif '__main__' == __name__:\n    print(rate)\n".replace("'__main__' == __name__", "__name__ == \"__main__\"").as_str();
    a_model_is_no_eval: "def f(model):\n    x = model.eval()\n    for m in model.modules():\n        x = m\n    return x\n" => "def f(model):\n    y = model.eval()\n    for n in model.modules():\n        y = n\n    return y\n";
    a_file_beside_it_is_not_its_own: "import os\nx = open(os.path.join(os.path.dirname(__file__), 'a')).read()  # note\n" => "import os\nx = open(os.path.join(os.path.dirname(__file__), 'a')).read()\n";
    vars_of_a_value: "def f(a):\n    d = vars(a)\n    return d\n" => "def f(a):\n    names = vars(a)\n    return names\n";
    a_global_and_a_local_of_one_name: "x = 1\ndef f():\n    x = 2\n    return x\nprint(x)\n" => "a = 1\ndef f():\n    b = 2\n    return b\nprint(a)\n";
    the_length_of_a_chain: "if a: x()\nelif b: y()\nelif c: y()\n" => "if a: x()\nelif b: y()\nelse:\n    if c: y()\n    else: pass\n";
}
