//! Pages that say one thing: who is there, or what is not.

use super::super::head;
use super::super::markup::Html;

/// Asks for the token. `failed`: the one that was given is not it.
pub fn login(failed: bool) -> String {
    small("Sign in", |html| {
        html.literal("<h1>baseline</h1>\n");
        if failed {
            html.literal("<p class=\"alert\" role=\"alert\">! That is not the token.</p>\n");
        }
        html.literal(
            "<form method=\"post\" action=\"/login\">\n\
             <input name=\"username\" autocomplete=\"username\" value=\"baseline\" hidden>\n\
             <p><label for=\"token\">Token</label></p>\n\
             <p><input id=\"token\" name=\"token\" type=\"password\" autocomplete=\"current-password\" required autofocus> \
             <button>Sign in</button></p>\n</form>\n\
             <p class=\"dim\">It is in the file that the controller was started with, <code>--token-file</code>.</p>\n",
        );
    })
}

/// Says why there is nothing else to be shown.
pub fn message(title: &str, text: &str) -> String {
    small(title, |html| {
        html.with("h1", &[], title).with("p", &[], text);
        html.literal("\n<p><a href=\"/\">All accounts</a></p>\n");
    })
}

fn small(title: &str, main: impl FnOnce(&mut Html)) -> String {
    let mut html = Html::default();
    head(&mut html, title, None);
    html.literal("<body>\n");
    html.element("main", &[("id", "main")], main);
    html.literal("\n</body>\n</html>\n");
    html.finish()
}
