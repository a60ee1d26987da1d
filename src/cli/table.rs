//! Text in columns.

/// Rows of cells; the first row is the head. Cells of a column are padded to the widest; `right` says which columns are numbers.
pub(super) fn align(rows: &[Vec<String>], right: &[bool]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let padding = " ".repeat(widths[column] - cell.chars().count());
            let gap = if column == 0 { "" } else { "  " };
            let number = right.get(column).copied().unwrap_or(false);
            let parts = if number { [gap, &padding, cell] } else { [gap, cell, &padding] };
            line.extend(parts);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other() {
        let row = |name: &str, rows: &str| vec![name.to_owned(), rows.to_owned()];
        let text = align(&[row("TABLE", "ROWS"), row("public.a", "1"), row("ü", "1,000")], &[false, true]);
        assert_eq!(text, "TABLE      ROWS\npublic.a      1\nü         1,000\n");
        assert_eq!(align(&[], &[]), "");
    }
}
