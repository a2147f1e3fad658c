//! Templates of configuration files and arguments (minijinja).

use minijinja::{Environment, UndefinedBehavior, Value};

use crate::document::{Document, DocumentError};

/// Fills a template in.
///
/// A name that is not there is an error, not an empty text: half a configuration would load and mean something else.
pub(crate) fn render(origin: &str, text: &str, values: &Value) -> Result<String, DocumentError> {
    environment()
        .render_named_str(origin, text, values)
        .map_err(|error| document_error(origin, text, &error))
}

/// Reads a template without filling it in.
pub(crate) fn check(origin: &str, text: &str) -> Result<(), DocumentError> {
    environment()
        .template_from_named_str(origin, text)
        .map(|_template| ())
        .map_err(|error| document_error(origin, text, &error))
}

/// What is wrong with a short template, as a phrase.
pub(crate) fn fault(text: &str) -> Option<String> {
    let error = environment().template_from_str(text).err()?;
    Some(message(&error))
}

/// A text that is filled in as it is.
pub(crate) fn literal(text: &str) -> String {
    match text.contains('{') {
        true => format!("{{{{ {} }}}}", quoted(text.to_owned())),
        false => text.to_owned(),
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_keep_trailing_newline(true);
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_auto_escape_callback(|_name| minijinja::AutoEscape::None);
    environment.add_filter("quoted", quoted);
    environment.add_filter("expression", expression);
    environment
}

/// A text in double quotes, escaped as in JSON: a basic string of TOML, and of most configuration languages.
fn quoted(text: String) -> String {
    serde_json::Value::from(text).to_string()
}

/// A regular expression that means this text and nothing else.
fn expression(text: String) -> String {
    let mut expression = String::with_capacity(text.len());
    for letter in text.chars() {
        if r"\.+*?()|[]{}^$".contains(letter) {
            expression.push('\\');
        }
        expression.push(letter);
    }
    expression
}

fn document_error(origin: &str, text: &str, error: &minijinja::Error) -> DocumentError {
    let document = Document::new(origin, text);
    match error.range() {
        Some(span) => document.error(span, "here", message(error)),
        None => document.lacks(message(error)),
    }
}

fn message(error: &minijinja::Error) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_is_an_error_at_its_place() {
        let error = render("a.j2", "one\n{{ two }}\n", &minijinja::context! {}).unwrap_err();
        assert_eq!(error.position(), Some((2, 4)));
        let error = render("a.j2", "{% if %}", &minijinja::context! {}).unwrap_err();
        assert!(error.message.starts_with("syntax error"), "{error}");
    }

    #[test]
    fn texts_are_quoted() {
        let values = minijinja::context! { name => "a \"b\"" };
        assert_eq!(
            render("a", "{{ name | quoted }}\n", &values).unwrap(),
            "\"a \\\"b\\\"\"\n"
        );
    }

    #[test]
    fn a_path_means_itself_in_an_expression() {
        let values = minijinja::context! { path => "/v1.0/(a)" };
        assert_eq!(
            render("a", "{{ path | expression }}", &values).unwrap(),
            r"/v1\.0/\(a\)"
        );
    }
}
