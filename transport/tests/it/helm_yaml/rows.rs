//! The rows of the table.

/// Scalars that YAML 1.1, YAML 1.2 and Go read differently.
#[rustfmt::skip]
pub(super) const SCALARS: &[&str] = &[
    "y", "Y", "n", "N", "yes", "Yes", "YES", "yEs", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF", "true",
    "True", "TRUE", "tRue", "false", "~", "null", "Null", "NULL", "nUll", "", "0", "-0", "+1", "07", "08", "09", "010",
    "0644", "0o17", "0O17", "0x1F", "0X1f", "-0x10", "0b101", "0B11", "0b2", "0x", "0x_1F", "1_000", "1__0", "_1", "1_",
    "+", "-x", "1e3", "1E3", "1e+3", "1e-3", "1e", "1e400", ".5", "-.5", ".5_0", "1.", "1.e5", ".", "1.5", "1_0.5",
    "00.5", "0x1p3", "1:30", "190:20:30", "1.2.3", "12e03", "1000000", "1234567.5", "0.00001", "100000",
    "9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775809",
    "18446744073709551615", "18446744073709551616", "0xFFFFFFFFFFFFFFFF", "1e21", "1e20", ".infinity", "inf", "nan",
    "2001-01-01", "2001-12-14t21:59:43.10-05:00", "2001-12-14 21:59:43", "=", "!!str 0644", "!!str", "!!int '3'",
    "!!float 1", "!!bool 'yes'", "!!binary aGVsbG8=", "!!binary //8=", "!!timestamp 2001-01-01", "! 0644", "! '0644'",
    "!own 0644", "!!set x", "!<tag:yaml.org,2002:int> '3'", "'yes'", "\"0644\"", "'null'", "\"\\x41\\u00e9\\_\"",
];

/// Scalars that Helm takes as a value, and not as a key, or in no place.
const NOT_AS_KEYS: &[&str] =
    &["~", "null", "Null", "NULL", "", "9223372036854775808", "18446744073709551615", "0xFFFFFFFFFFFFFFFF"];

#[rustfmt::skip]
const ROWS: &[&str] = &[
    // Nothing at all.
    "", "\n", "# only a comment\n", "---\n", "--- # why\n", "null\n", "~\n", "{}\n", "- list\n", "text\n", "0644\n",
    // Keys.
    "y: 1\n", "n: 1\n", "on: 1\n", "0644: 1\n", "1_000: 1\n", "1.50: 1\n", "1e6: 1\n", "123456789.5: 1\n", "~: 1\n", ": 1\n",
    "18446744073709551615: 1\n", "2001-01-01: 1\n", "[a]: 1\n", "{a: b}: 1\n", "? a\n: 1\n", "? |\n  long\n: 1\n",
    "!!binary aGk=: 1\n", "'a b': 1\n", "a b c: 1\n", "? a\n? b\n",
    // The same key twice.
    "a: 1\na: 2\n", "a: {b: 1}\na: {c: 2}\n", "'a': 1\n\"a\": 2\n", "a: 1\na:\n", "yes: 1\ntrue: 2\n", "8: 1\n010: 2\n",
    // Merges.
    "x: &x {k: 1, j: 2}\nb:\n  <<: *x\n  k: own\n", "x: &x {k: 1, j: 2}\nb:\n  k: own\n  <<: *x\n",
    "x: &x {k: 1}\ny: &y {k: 2, m: 3}\nb:\n  <<: [*x, *y]\n", "x: &x {k: 1}\nb:\n  <<: *x\n  <<: {k: 3, l: 4}\n",
    "b:\n  <<: {k: 1}\n", "b:\n  <<: text\n", "b:\n  <<: [1]\n", "b:\n  <<:\n", "x: &x [1]\nb:\n  <<: *x\n",
    "x: &x {k: 1}\nb:\n  '<<': *x\n", "x: &x {k: 1}\nb:\n  !!merge <<: *x\n", "x: &x {k: 1}\nb:\n  !!str <<: *x\n",
    "x: &x {k: {a: 1}}\nb:\n  <<: *x\n  k: {b: 2}\n", "a: <<\n", "<<: {a: 1}\nb: 2\n",
    "x: &x {k: 1}\ny: &y\n  <<: *x\n  l: 2\nz:\n  <<: *y\n",
    // Anchors.
    "a: &a 1\nb: *a\n", "a: &a {b: 1}\nc: [*a, *a]\n", "a: &a 1\nb: &a 2\nc: *a\n", "b: *a\n", "a: &a [*a]\n", "a: &a {<<: *a}\n",
    "a: &a key\n*a : 1\n", "a: &a\nb: *a\n", "&a b: 1\nc: *a\n", "a: &é 1\n",
    // Tags.
    "a: !!int x\n", "a: !!int 1.5\n", "a: !!float x\n", "a: !!bool 1\n", "a: !!null x\n", "a: !!null ''\n", "a: !!timestamp x\n",
    "a: !!timestamp 2001-13-01\n", "a: !!binary '*'\n", "a: !!float 0x10\n", "a: !!map {b: 1}\n", "a: !!seq [1]\n", "a: !!omap [b: 1]\n",
    "a: !own {b: 1}\n", "a: !!seq {b: 1}\n", "a: !undeclared!x 1\n", "a: .nan\n", "a: [.inf]\n", "a: -.INF\n",
    "%TAG !e! tag:yaml.org,2002:\n---\na: !e!int '3'\n", "%YAML 1.1\n---\na: yes\n", "%YAML 1.2\n---\na: yes\n", "%YAML 3.0\n---\na: 1\n",
    // Documents.
    "a: 1\n---\n", "a: 1\n---\nb: 2\n", "a: {b: 1}\n---\na: {c: 2}\n", "a: 1\n---\na:\n", "---\na: 1\n---\n---\nb: 2\n",
    "a: 1\n...\n", "a: 1\n...\n---\nb: 2\n", "a: 1\n--- b\n", "--- {a: 1}\n", "a: 1\n---\n- list\n", "a: 1\n---\nb: [\n",
    "a: 1\n----\n", "# c\n---\na: 1\n", "a: |\n  x\n---\nb: 1\n", "a: 1\n--- # why\nb: 2\n",
    // Blocks of text.
    "a: |\n  x\n   y\n", "a: |-\n  x\n", "a: |+\n  x\n\n", "a: >\n  x\n  y\n\n  z\n", "a: >-\n  x\n    y\n", "a: |2\n    x\n", "a: |\n  x",
    "a: >+\n  x", "a: |\nb: 1\n", "a: |\n\n\n  x\n", "a: | # why\n  x\n", "a: |0\n  x\n", "- |\n x\n",
    "a: x\n  y\n\n  z\n", "a: 'x\n  y'\n", "a: \"x\\\n  y\"\n", "a: \"x\n\n  y\"\n",
    // Quotes and escapes.
    "a: \"\\/\"\n", "a: \"\\ \\\t\"\n", "a: \"\\x4\"\n", "a: \"\\\\ud83d\"\n",
    "a: \"\\U0001F600\"\n", "a: \"\\ud83d\\ude00\"\n", "a: \"\\q\"\n", "a: \"\\e\\0\\N\\L\"\n", "a: 'it''s'\n", "a: \"\n", "a: 'x' y\n",
    // Flow.
    "a: [1, 2,]\n", "a: {b: 1,}\n", "a: {b, c: }\n", "a: [b: 1, c]\n", "a: {'b':1}\n", "a: {b:1}\n", "a: [,]\n", "a: [1\n", "a: [1 2]\n",
    "a: {\n  b: 1\n  }\n", "a: [\n1\n]\n", "a: {? b : 1}\n", "a: [x:y, http://z]\n", "{a: 1, \"b\": [yes, 010]}\n", "a: [a]b\n",
    // Blanks.
    "\ta: 1\n", "a:\n\tb: 1\n", "a: 1\n\t\nb: 2\n", "a:\t1\n", "a: 1\t# why\n", "a:\n  -\tb\n", "a: 1\r\nb: 2\r\n", "a: 1\rb: 2\r",
    "a: |\n  x\t\n\ty\n", "a: b\n\tc\n", "\u{feff}a: 1\n", "a: \u{feff}b\n", "a: b\u{7f}\n", "a: \u{1}\n", "a:\n b: 1\n  c: 2\n", "a:\n  b: 1\n c: 2\n",
    "a: 1 # why\n#b: 2\n", "a: 1#b\n", "a: b: c\n", "a: 'b': c\n", "a : 1\n", "a:1\n", "a: - b\n", "a:\n- b\n- c\n", "a:\n- - b\n  - c\n", "- a\nb: 1\n",
    "a: 1\n]\nb: 2\n", "a:\n  b: 1\n} c: 2\n", "  a: 1\nb: 2\n",
    "a: @b\n", "a: `b\n", "a: %b\n", "a: &\n", "a: *\n", "a: !\n", "a: b:\n", "a: ?b\n", "a: -b\n", "a: :b\n", "a: |b\n",
];

/// Each row is read as a chart's values and as values of a `ConfigMap`: what is refused is refused by both.
pub(super) fn all() -> Vec<String> {
    let lines = |text: &dyn Fn(&str) -> String| SCALARS.iter().map(|scalar| text(scalar)).collect::<Vec<_>>();
    // What Helm takes can stand together: each row is a run of Helm.
    let number = std::cell::Cell::new(0);
    let numbered = |scalar: &str| format!("k{}: {scalar}\n", number.replace(number.get() + 1));
    let values = lines(&numbered).concat();
    let items = format!("a:\n{}", lines(&|scalar| format!("- {scalar}\n")).concat());
    let keys = SCALARS.iter().filter(|scalar| !NOT_AS_KEYS.contains(scalar));
    let keys: String = keys.map(|scalar| format!("- {scalar}: 1\n")).collect();
    let rows = ROWS.iter().map(|row| (*row).to_owned());
    rows.chain([values, items, format!("a:\n{keys}")]).chain(large()).collect()
}

/// Large in one respect.
fn large() -> [String; 8] {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..12 {
        bomb += &format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 10].join(", "));
    }
    let mostly_aliases = format!("a: &a [{}]\nb:\n{}", "1, ".repeat(300), "- *a\n".repeat(200));
    [
        format!("a:\n{}  b: 1\n", "  # why\n".repeat(33)),
        format!("a:\n{}  b: 1\n", "  # why\n".repeat(5000)),
        format!("a: &a {{b: 1}}\nall:\n{}", "- *a\n".repeat(100)),
        format!("a: &a {{b: 1}}\nall:\n{}", "- *a\n".repeat(5000)),
        mostly_aliases,
        bomb,
        (0..3000).map(|n| format!("key{n}: some value {n}\n")).collect(),
        format!("a: {}x{}\n", "[".repeat(100), "]".repeat(100)),
    ]
}

/// A chart's values, and others over them.
pub(super) const OVER: &[(&str, &str)] = &[
    ("a: 1\nb: 2\n", "a: null\n"),
    ("a: {b: 1, c: 2}\n", "a: {b: ~}\n"),
    ("a: {b: 1}\n", "a:\n"),
    ("a: {b: {c: 1}}\n", "a: {b: null}\n"),
    ("a: 1\n", "b: null\nc: {d: null}\n"),
    ("a: null\nb: {c: null}\n", "b: {c: 1}\n"),
    ("a: null\nb: {c: null}\n", ""),
    ("a: [1, 2]\n", "a: [null]\n"),
    ("a: {b: 1}\n", "a: text\n"),
    ("a: text\n", "a: {b: 1}\n"),
    ("y: 1\n", "true: 2\n"),
    ("0644: a\n", "'420': b\n"),
    ("a: 1\n---\na: null\n", ""),
    ("a: 1\n", "a: 2\n---\na: null\n"),
    ("a: {b: 1}\n", "a: {b: 2}\n---\na: {c: 3}\n"),
    ("x: &x {k: 1}\na:\n  k: 2\n  <<: *x\n", "a: {j: yes}\n"),
];

/// `Chart.yaml`.
pub(super) const CHARTS: &[&str] = &[
    "apiVersion: v2\nname: rows\nversion: 1.0.0\n",
    "apiVersion: v2\nname: rows\nversion: 1.10\nappVersion: 1.10\n",
    "apiVersion: v2\nname: rows\nversion: 1\nappVersion: 20240101\n",
    "apiVersion: v2\nname: 'on'\nversion: 1.0.0\nappVersion: on\ndeprecated: true\nkeywords: [yes, 1]\n",
    "apiVersion: v2\nname: rows\nversion: 1.0.0\nannotations: {a: 'b', 0644: 0644, c: 1.5}\n",
    "apiVersion: v2\nname: rows\nversion: 1.0.0\nmaintainers: [{name: 1, email: 'a@b'}]\nsources:\n- http://a\n",
    "apiVersion: v2\nname: rows\nversion: 1.0.0\n---\nname: other\n",
    "name: other\napiVersion: v2\nname: rows\nversion: 1.0.0\ndescription: >-\n  a\n  b\n",
];

/// Helm takes these, and leaves out the rest of a broken file, or one of two keys by chance. The others are forms that
/// nobody writes.
pub(super) const STRICTER: &[&str] = &[
    "  a: 1\n]\nb: 2\n",
    "  a:\n    b: 1\n } c: 2\n",
    "  a: 1\n[ b: 2\n",
    "a: 1\n%YAML 1.1\nb: 2\n",
    "a: [\n\t1]\n",
    "1: a\n'1': b\n",
    "true: a\n'yes': b\n\"true\": c\n",
    "a: b\u{2028}c: d\n",
    "a: \"b\u{2029}c\"\n",
    "a: 1\n\u{feff}b: 2\n",
    "a: \"it\\'s\"\n",
    "a: [-]\n",
    "a: {}#\n",
    "a: &a:b\n",
    "a: &a b\n*a: c\n",
];
