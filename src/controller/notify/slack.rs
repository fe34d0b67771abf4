//! Telling through whatever takes Slack's incoming webhooks: Slack itself, Mattermost, Rocket.Chat, Discord's `/slack`.

use serde_json::json;

use super::message::Message;

/// Slack cuts longer texts (Slack API, "Truncating content": 40,000 characters).
const LONGEST: usize = 30_000;

pub(super) fn body(message: &Message) -> Vec<u8> {
    // Nothing in it is markup, whatever a resource is called.
    json!({ "text": plain(&message.text), "mrkdwn": false }).to_string().into_bytes()
}

/// Slack's three control characters written out (Slack API, "Escaping text"), so that nothing becomes a link or a mention;
/// and the words that others take for a mention broken up.
fn plain(text: &str) -> String {
    let mut out: String = text.chars().take(LONGEST).collect();
    for word in ["channel", "here", "all", "everyone"] {
        out = out.replace(&format!("@{word}"), &format!("@\u{200b}{word}"));
    }
    out.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_message_calls_people() {
        assert_eq!(plain("<!channel> a & b"), "&lt;!channel&gt; a &amp; b");
        assert_eq!(plain("@here jo@acme.example"), "@\u{200b}here jo@acme.example");
    }
}
