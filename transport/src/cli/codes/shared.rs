//! Codes of every program's command line.

use super::Line;

pub(super) const TABLE: &[Line] = &[
    (
        "BadArguments",
        "The command line isn't one that the program knows.",
        "an option is mistyped, missing, or doesn't go with another one",
        "`--help` after the command lists its options",
    ),
    (
        "UnknownCode",
        "No program uses such a code.",
        "the code is mistyped",
        "`explain` without a code lists all codes",
    ),
    (
        "NoNames",
        "`-o name` was asked of a command whose result has no names.",
        "names are printed by commands that list or show things",
        "leave out `-o name`, or use `-o json`",
    ),
    (
        "NotPrinted",
        "The result couldn't be written to stdout; what the command did stays done.",
        "stdout leads to a file on a full disk, or to something that can't be written",
        "make room or name another file, then ask for the result again",
    ),
    (
        "NotConfirmed",
        "A person has to agree, and nobody did; nothing was changed.",
        "it runs without a terminal, or another word was typed",
        "run it at a terminal, or agree with the option that the hint names",
    ),
    (
        "Internal",
        "Something happened that should be impossible.",
        "a fault of the program",
        "report it, with the command and all that it printed",
    ),
];
