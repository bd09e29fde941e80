//! Lines of comma-separated values (RFC 4180), as spreadsheets take them.

/// What a spreadsheet takes for the beginning of a formula, which it runs: a stranger's text must not be one.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// One line, without its end.
pub(crate) fn line(cells: &[String]) -> String {
    cells.iter().map(|text| cell(text)).collect::<Vec<_>>().join(",")
}

/// A cell, quoted where it has to be. What would be a formula is text: an apostrophe stands before it.
fn cell(text: &str) -> String {
    let text =
        if text.trim_start_matches(' ').starts_with(FORMULA) { format!("'{text}") } else { text.to_owned() };
    let is_plain = !text.contains([',', '"', '\n', '\r']) && text.trim() == text;
    if is_plain { text } else { format!("\"{}\"", text.replace('"', "\"\"")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_have_to_be() {
        let cells = ["plain", "a,b", "say \"hi\"", "two\nlines", " spaces ", "", "cr\r"].map(str::to_owned);
        assert_eq!(line(&cells), "plain,\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\",\" spaces \",,\"cr\r\"");
    }

    #[test]
    fn no_cell_is_a_formula() {
        for (text, shown) in [
            ("=1+1", "'=1+1"),
            ("+49 30", "'+49 30"),
            ("-5", "'-5"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("=HYPERLINK(\"http://h\",\"x\")", "\"'=HYPERLINK(\"\"http://h\"\",\"\"x\"\")\""),
            ("  =1", "'  =1"),
            ("\t=1", "'\t=1"),
            ("＝1", "'＝1"),
            ("a=b", "a=b"),
        ] {
            assert_eq!(cell(text), shown, "{text:?}");
        }
    }
}
