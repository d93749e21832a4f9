//! Comma-separated values by RFC 4180, each record with the line that it begins on.

use super::Unreadable;

/// A record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Record {
    /// From 1; a quoted field may go on over several lines.
    pub line: u32,
    pub fields: Vec<String>,
}

/// A file's records, its header among them. Empty lines are none.
pub(super) fn records(bytes: &[u8]) -> Result<Vec<Record>, Unreadable> {
    let text = std::str::from_utf8(bytes).map_err(|_| Unreadable::file("is not UTF-8"))?;
    let mut reader = Reader { rest: text.strip_prefix('\u{feff}').unwrap_or(text), line: 1 };
    let mut records = Vec::new();
    while !reader.rest.is_empty() {
        let record = reader.record()?;
        if record.fields.len() > 1 || record.fields.first().is_some_and(|field| !field.is_empty()) {
            records.push(record);
        }
    }
    Ok(records)
}

struct Reader<'a> {
    rest: &'a str,
    line: u32,
}

impl Reader<'_> {
    fn record(&mut self) -> Result<Record, Unreadable> {
        let (line, mut fields) = (self.line, Vec::new());
        loop {
            let field = match self.rest.strip_prefix('"') {
                Some(rest) => {
                    self.rest = rest;
                    self.quoted(line, fields.len())?
                }
                None => self.bare(),
            };
            fields.push(field);
            if let Some(rest) = self.rest.strip_prefix(',') {
                self.rest = rest;
                continue;
            }
            for end in ["\r\n", "\n", "\r"] {
                if let Some(rest) = self.rest.strip_prefix(end) {
                    self.rest = rest;
                    self.line = self.line.saturating_add(1);
                    return Ok(Record { line, fields });
                }
            }
            if self.rest.is_empty() {
                return Ok(Record { line, fields });
            }
            return Err(self.broken(line, fields.len(), "has text behind its closing quote"));
        }
    }

    fn bare(&mut self) -> String {
        let end = self.rest.find([',', '\n', '\r']).unwrap_or(self.rest.len());
        let (field, rest) = self.rest.split_at(end);
        self.rest = rest;
        field.to_owned()
    }

    fn quoted(&mut self, line: u32, before: usize) -> Result<String, Unreadable> {
        let mut field = String::new();
        loop {
            let Some(end) = self.rest.find('"') else { return Err(self.broken(line, before + 1, "has no closing quote")) };
            let (part, rest) = self.rest.split_at(end);
            let ends = part.bytes().filter(|byte| *byte == b'\n').count();
            self.line = self.line.saturating_add(u32::try_from(ends).unwrap_or(u32::MAX));
            field.push_str(part);
            let behind = rest.get(1..).unwrap_or_default();
            match behind.strip_prefix('"') {
                Some(rest) => {
                    field.push('"');
                    self.rest = rest;
                }
                None => {
                    self.rest = behind;
                    return Ok(field);
                }
            }
        }
    }

    fn broken(&self, line: u32, field: usize, rule: &str) -> Unreadable {
        Unreadable::at(line, &format!("number {field}"), rule)
    }
}

/// Where a table's columns are, by their names in lower case with nothing but letters and digits: `Created (UTC)` is `createdutc`.
pub(super) struct Table {
    header: Vec<String>,
    rows: Vec<Record>,
}

/// A column: what it is called in refusals, and the names by which headers know it.
pub(super) struct Column {
    pub name: &'static str,
    pub known_as: &'static [&'static str],
}

impl Table {
    /// A header and its rows, each with as many fields.
    pub fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        let mut records = records(bytes)?.into_iter();
        let header = records.next().ok_or_else(|| Unreadable::file("has no header"))?;
        let width = header.fields.len();
        let rows: Vec<Record> = records.collect();
        if let Some(row) = rows.iter().find(|row| row.fields.len() != width) {
            let column = row.fields.len().min(width) + 1;
            return Err(Unreadable::at(row.line, &format!("number {column}"), "has a row of another length than the header"));
        }
        Ok(Table { header: header.fields.iter().map(|name| plain(name)).collect(), rows })
    }

    /// Where that column is; `None` when the header does not have it.
    pub fn find(&self, column: &Column) -> Result<Option<usize>, Unreadable> {
        let mut found = self.header.iter().enumerate().filter(|(_, name)| column.known_as.contains(&name.as_str()));
        match (found.next(), found.next()) {
            (first, None) => Ok(first.map(|(at, _)| at)),
            (_, Some(_)) => Err(Unreadable::at(1, column.name, "is in the header twice")),
        }
    }

    /// Where that column is.
    pub fn require(&self, column: &Column) -> Result<usize, Unreadable> {
        self.find(column)?.ok_or_else(|| Unreadable::at(1, column.name, "is not in the header"))
    }

    pub fn rows(&self) -> &[Record] {
        &self.rows
    }
}

impl Record {
    /// The field at `at`, without blanks around it.
    pub fn field(&self, at: usize) -> &str {
        self.fields.get(at).map_or("", |field| field.trim())
    }
}

fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(u32, Vec<String>)> {
        records(text.as_bytes()).unwrap().into_iter().map(|record| (record.line, record.fields)).collect()
    }

    #[test]
    fn quotes_commas_and_line_ends_are_read_as_rfc_4180_says() {
        let text = "\u{feff}a,b\r\n\"1,5\",\"say \"\"hi\"\"\"\n\n\"two\nlines\",x\r,\n";
        let expected = [(1, vec!["a", "b"]), (2, vec!["1,5", "say \"hi\""]), (4, vec!["two\nlines", "x"]), (6, vec!["", ""])];
        let expected: Vec<(u32, Vec<String>)> =
            expected.into_iter().map(|(line, fields)| (line, fields.into_iter().map(str::to_owned).collect())).collect();
        assert_eq!(read(text), expected);
        assert_eq!(read("a,b\n1,2"), read("a,b\n1,2\n"), "the last line needs no end");
        assert!(read("").is_empty());
    }

    #[test]
    fn what_is_no_csv_is_refused_with_its_line() {
        for (text, place) in [("a,b\n1,\"2", "line 2, column number 2"), ("a,b\n1,\"2\"x\n", "line 2, column number 2")] {
            assert_eq!(records(text.as_bytes()).unwrap_err().place, place);
        }
        assert_eq!(records(&[0xff, 0xfe]).unwrap_err().rule, "is not UTF-8");
        let place = |text: &str| Table::read(text.as_bytes()).map(drop).unwrap_err().place;
        assert_eq!(place("a,b\n1,2\n1\n"), "line 3, column number 2");
        assert_eq!(place("a,b\n1,2,3\n"), "line 2, column number 3");
        assert_eq!(place(""), "file");
    }

    #[test]
    fn columns_are_found_by_their_plain_names() {
        let table = Table::read(b"Created (UTC),created_utc,Amount\n").unwrap();
        let column = |known_as: &'static [&'static str]| Column { name: "x", known_as };
        assert_eq!(table.require(&column(&["amount"])), Ok(2));
        assert_eq!(table.find(&column(&["fee"])), Ok(None));
        assert_eq!(table.require(&column(&["createdutc"])).unwrap_err().rule, "is in the header twice");
        assert_eq!(table.require(&column(&["fee"])).unwrap_err().rule, "is not in the header");
    }
}
