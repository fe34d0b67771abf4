//! HTML that cannot be broken by what stands in it: markup comes from the program's own text only, and everything
//! else is escaped on its way in. There is no way round either, so nobody can forget.

use crate::report::escape::escape;

/// A piece of a page.
///
/// Tags, names of attributes and [`Html::literal`] are `&'static str`: text that the program was compiled with. All
/// other strings go in through [`Html::text`] or the value of an attribute, and lose every character that HTML gives
/// a meaning to, and every one that a reader would not see.
#[derive(Debug, Default)]
pub(super) struct Html {
    markup: String,
}

/// The attributes of an element: names of the program's own, values from anywhere.
pub(super) type Attributes<'a> = &'a [(&'static str, &'a str)];

impl Html {
    pub(super) fn finish(self) -> String {
        self.markup
    }

    /// Markup of the program's own.
    pub(super) fn literal(&mut self, markup: &'static str) -> &mut Self {
        self.markup.push_str(markup);
        self
    }

    /// Text from anywhere.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        for c in escape(text).chars() {
            match c {
                '<' => self.markup.push_str("&lt;"),
                '>' => self.markup.push_str("&gt;"),
                '&' => self.markup.push_str("&amp;"),
                '"' => self.markup.push_str("&quot;"),
                '\'' => self.markup.push_str("&#39;"),
                c => self.markup.push(c),
            }
        }
        self
    }

    /// An element with whatever `inside` puts there.
    pub(super) fn element(
        &mut self,
        tag: &'static str,
        attributes: Attributes<'_>,
        inside: impl FnOnce(&mut Self),
    ) -> &mut Self {
        self.open(tag, attributes);
        inside(self);
        self.markup.push_str("</");
        self.markup.push_str(tag);
        self.markup.push('>');
        self
    }

    /// An element that holds text and nothing else.
    pub(super) fn with(&mut self, tag: &'static str, attributes: Attributes<'_>, text: &str) -> &mut Self {
        self.element(tag, attributes, |html| {
            html.text(text);
        })
    }

    /// A start tag; for elements that have no end (`input`, `meta`).
    pub(super) fn open(&mut self, tag: &'static str, attributes: Attributes<'_>) -> &mut Self {
        self.markup.push('<');
        self.markup.push_str(tag);
        for (name, value) in attributes {
            self.markup.push(' ');
            self.markup.push_str(name);
            if !value.is_empty() {
                self.markup.push_str("=\"");
                self.text(value);
                self.markup.push('"');
            }
        }
        self.markup.push('>');
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_the_programs_own_is_text() {
        let hostile = "</td><script>alert('1')</script>\"&\u{202e}\u{200b}\n";
        let mut html = Html::default();
        html.element("td", &[("title", hostile), ("hidden", "")], |html| {
            html.text(hostile);
        });
        insta::assert_snapshot!(html.finish(), @r#"<td title="&lt;/td&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&amp;\u{202e}\u{200b}\n" hidden>&lt;/td&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&amp;\u{202e}\u{200b}\n</td>"#);
    }
}
