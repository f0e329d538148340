//! The templates of cards and pages, rendered by minijinja.

use anyhow::{Context, Result};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use serde::Serialize;

use super::text::escape;

/// The text of the first of `templates`, which are `(name, source)`; it may include the others by name. A name that
/// ends in `.html` escapes its values.
///
/// # Errors
/// A template that is malformed or names a value that `values` lacks.
pub fn render(templates: &[(&'static str, &'static str)], values: impl Serialize) -> Result<String> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_keep_trailing_newline(true);
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.add_filter("safe", |text: String| Value::from_safe_string(text));
    environment.set_auto_escape_callback(
        |name| {
            if name.ends_with(".html") { AutoEscape::Html } else { AutoEscape::None }
        },
    );
    // minijinja's own escaping also replaces apostrophes and slashes, which need none in text and in double quotes.
    environment.set_formatter(|output, state, value| {
        let escapes = matches!(state.auto_escape(), AutoEscape::Html) && !value.is_safe();
        let text = value.to_string();
        Ok(output.write_str(&if escapes { escape(&text) } else { text })?)
    });
    for (name, source) in templates {
        environment.add_template(name, source).with_context(|| format!("the template {name} is malformed"))?;
    }
    let (name, _) = templates.first().context("there is no template to render")?;
    let template = environment.get_template(name)?;
    template.render(values).with_context(|| format!("the template {name} can't be filled in"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use minijinja::context;

    /// A value may hold what looks like a key, and a forgotten key is an error that names the template.
    #[test]
    fn values_are_filled_in_once_and_all_of_them() {
        let card = [("card.md", "{{ name }} by {{ author }}.\n")];
        let text = render(&card, context! { name => "{{ author }} & {author}", author => "us" }).unwrap();
        assert_eq!(text, "{{ author }} & {author} by us.\n");
        let refusal = render(&card, context! { name => "a" }).unwrap_err().to_string();
        assert_eq!(refusal, "the template card.md can't be filled in");
    }

    #[test]
    fn pages_escape_values_and_nothing_else() {
        let page = [("page.html", "<b title=\"{{ title }}\">{{ markup|safe }}</b>")];
        let text = render(&page, context! { title => "\"<a/> & o'b\"", markup => "<i>" }).unwrap();
        assert_eq!(text, "<b title=\"&quot;&lt;a/&gt; &amp; o'b&quot;\"><i></b>");
    }
}
