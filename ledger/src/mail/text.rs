//! What may stand in a mail.

/// The longest text of a mail, in characters.
pub const LONGEST_TEXT: usize = 20_000;

/// The address in `text`, if it can be one: ASCII `name@host.tld` without quotes, as every mail server takes it. A host in another
/// script is written in its ASCII form.
pub fn address(text: &str) -> Option<String> {
    let text = text.trim();
    let (name, host) = text.rsplit_once('@')?;
    let fits = text.len() <= 254 && (1..=64).contains(&name.len()) && name.split('.').all(is_atom) && is_host(host);
    fits.then(|| format!("{name}@{}", host.to_ascii_lowercase()))
}

/// RFC 5322's atom: nothing in it needs quoting, and no control character or blank can be in it.
fn is_atom(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte))
}

fn is_host(host: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let labels = host.split('.').count();
    let top_is_a_number = host.rsplit('.').next().is_some_and(|top| top.bytes().all(|byte| byte.is_ascii_digit()));
    labels >= 2 && !top_is_a_number && host.split('.').all(label)
}

/// The text in one line: fit for a header, which a line break would end.
pub fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The text with line feeds only and without other control characters.
pub fn text(text: &str) -> String {
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    lines.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect::<String>().trim().to_owned()
}
