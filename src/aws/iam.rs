//! What several controls read from IAM.

use percent_encoding::percent_decode_str;
use serde_json::Value;

/// A policy document as IAM tells it: JSON, URL-encoded (RFC 3986). `None` where it is none.
pub fn document(encoded: Option<&str>) -> Option<Value> {
    let bytes: Vec<u8> = percent_decode_str(encoded?).collect();
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn documents_are_decoded() {
        let encoded = "%7B%22Version%22%3A%20%222012-10-17%22%2C%22Id%22%3A%22100%25%22%7D";
        assert_eq!(document(Some(encoded)), Some(json!({"Version": "2012-10-17", "Id": "100%"})));
        assert_eq!(document(None), None);
        assert_eq!(document(Some("%7")), None);
    }
}
