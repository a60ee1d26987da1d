//! The fenced blocks of a page.

/// One of them.
#[derive(Debug)]
pub(super) struct Block {
    /// What stands after the fence.
    pub(super) language: String,
    /// The line of the page that it begins on.
    pub(super) line: usize,
    pub(super) text: String,
}

/// What is run.
const RUN: [&str; 5] = ["sh", "console", "sql", "cron", "ini"];
/// What is only shown.
const SHOWN: [&str; 3] = ["text", "json", "rust,no_run"];

impl Block {
    pub(super) fn is_run(&self) -> bool {
        RUN.contains(&self.language.as_str())
    }
}

/// All of a page.
///
/// # Panics
/// If one is not closed, or of a language that nobody knows how to run.
pub(super) fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut is_open = false;
    for (number, line) in page.lines().enumerate() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            is_open = !is_open;
            if is_open {
                let language = language.trim().to_owned();
                let known = RUN.iter().chain(&SHOWN).any(|known| *known == language);
                assert!(known, "line {}: {language:?} is not known", number + 1);
                blocks.push(Block { language, line: number + 1, text: String::new() });
            }
        } else if is_open {
            let block = blocks.last_mut().expect("one is open");
            block.text.push_str(line);
            block.text.push('\n');
        }
    }
    assert!(!is_open, "a block is not closed");
    blocks
}

/// A command of a console block, and what it prints.
#[derive(Debug, PartialEq)]
pub(super) struct Step<'a> {
    pub(super) command: String,
    pub(super) prints: Vec<&'a str>,
}

/// The commands of a console block; one that ends with a backslash goes on in the next line.
pub(super) fn steps(text: &str) -> Vec<Step<'_>> {
    let mut steps: Vec<Step<'_>> = Vec::new();
    let mut goes_on = false;
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step { command: command.to_owned(), prints: Vec::new() });
        } else if goes_on {
            let step = steps.last_mut().expect("a command goes on");
            step.command.push('\n');
            step.command.push_str(line);
        } else {
            steps.last_mut().expect("a block begins with a command").prints.push(line);
        }
        goes_on = line.ends_with('\\') && (goes_on || line.starts_with("$ "));
    }
    steps
}

#[test]
fn a_console_block_has_steps() {
    let found = steps("$ a \\\n  b\nprinted\n$ c\n");
    let expect = [
        Step { command: "a \\\n  b".to_owned(), prints: vec!["printed"] },
        Step { command: "c".to_owned(), prints: vec![] },
    ];
    assert_eq!(found, expect);
}
