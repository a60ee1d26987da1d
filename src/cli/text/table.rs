//! Text in columns.

use std::io::{self, Write};

/// Columns are padded to this width at most; a cell that is wider stands out of its column.
const WIDTH_MAX: usize = 200;

/// Rows of cells; the first row is the head. Cells of a column are padded to the widest; `right`
/// says which columns are numbers.
pub(in crate::cli) fn align(
    rows: &[Vec<String>],
    right: &[bool],
    out: &mut dyn Write,
) -> io::Result<()> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
            .min(WIDTH_MAX)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let padding = " ".repeat(widths[column].saturating_sub(cell.chars().count()));
            let gap = if column == 0 { "" } else { "  " };
            let number = right.get(column).copied().unwrap_or(false);
            let parts = if number { [gap, &padding, cell] } else { [gap, cell, &padding] };
            line.extend(parts);
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other() {
        let row = |name: &str, rows: &str| vec![name.to_owned(), rows.to_owned()];
        let aligned = |rows: &[Vec<String>], right: &[bool]| {
            let mut out = Vec::new();
            align(rows, right, &mut out).expect("memory takes all");
            String::from_utf8(out).expect("text")
        };
        let text = aligned(
            &[row("TABLE", "ROWS"), row("public.a", "1"), row("ü", "1,000")],
            &[false, true],
        );
        assert_eq!(text, "TABLE      ROWS\npublic.a      1\nü         1,000\n");
        assert_eq!(aligned(&[], &[]), "");
        let wide = aligned(&[row(&"x".repeat(1000), "1"), row("a", "2")], &[]);
        assert_eq!(wide.lines().last().map(str::len), Some(WIDTH_MAX + 3));
    }
}
