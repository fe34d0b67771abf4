//! What the pages of both controls say.

/// The page, with what only one of both has.
macro_rules! page {
    ($where:literal) => {
        concat!(
            "\
## What it checks

",
            $where,
            " Each declared web ACL, by its name: what happens to requests that no rule
decides about, its rules, metrics and samples, and logging. There are three kinds of rules:

- `managed`: managed rule groups, by the name of the group, with version, mode, overrides of single rules and a
  scope-down that says which requests the group looks at
- `networks`: requests from lists of networks, `spec.networks` of the Organization
- `rates`: how often one address may ask

Rules are compared by what they mean; what AWS fills in, and what is not declared, is no difference. Rules of others
in the same web ACL stay as they are, with their priorities. Versions of managed groups expire: one that is
declared and that AWS does not list any more is reported, also while it is still in use. What a web ACL may use of
its capacity is asked of WAF before anything is written. A web ACL that AWS Firewall Manager manages is left alone.

## Why it matters

A web ACL keeps known attacks away from what faces the internet, and a rule that only one of many has is a hole in all
others. A group that is switched from counting to blocking without a look at what it counts keeps customers away;
one that was set to count for an afternoon and forgotten keeps nobody away.

## What apply does

It makes web ACLs that are not there, and changes those that are, with the lock token of the look right before.
The order of the first rollout is in the words: a managed group or a rule that is new and says nothing counts; read
what it counts, then write `mode: enforce` or `action: block`. What keeps requests away that were let through says so,
and what lets more through weakens.

Lists of networks become IP sets, one for each list and version of IP, `baseline-office-ipv4`: those are ours, and hold
what the list holds and nothing else. A new web ACL, each rule and each million requests are charged for, and more than
1500 capacity units make requests dearer: the plan says so. More than 5000, two rules with one priority, a version or a
rule of a group that does not exist are told and not tried.

Logging goes to a bucket, a log group or a stream that is there already; its name begins with `aws-waf-logs-`.

## How to undo

The audit record of the run holds what the fields were: declare those values, and apply. A rule, an IP set or a body
that was added stays until somebody takes it out: let a rule count instead. Logging that was turned on can be narrowed
by filters, and turned off with `aws wafv2 delete-logging-configuration`. baseline never deletes a web ACL.
"
        )
    };
}

pub const REGIONAL: &str = page!("In each region, for load balancers, API stages, user pools and the like.");

pub const GLOBAL: &str = page!(
    "For CloudFront, in the one region that has those web ACLs (`us-east-1`), also where that region is not managed."
);

pub const REGIONAL_EXAMPLE: &str = "\
acls:
  baseline:
    defaultAction: allow
    description: Everything that faces the internet
    metrics: true
    sampledRequests: true
    networks:
      office: {priority: 0, action: allow, lists: [office]}
      denied: {priority: 10, action: block, lists: [denied], response: {status: 404, body: denied}}
    rates:
      sign-in:
        priority: 20
        action: block
        limit: 100
        window: 300
        forwardedHeader: none
        scopeDown: {paths: [/login], methods: [POST], exceptFrom: [office]}
    managed:
      AWSManagedRulesCommonRuleSet:
        priority: 100
        version: default
        mode: count
        overrides: {SizeRestrictions_BODY: count}
        scopeDown: {exceptPaths: [/health]}
      AWSManagedRulesKnownBadInputsRuleSet:
        priority: 110
        version: Version_1.22
        mode: enforce
    responses:
      denied: {contentType: TEXT_PLAIN, content: Denied.}
    logging:
      to: logs://aws-waf-logs-baseline
      redact: [header:authorization]
      unfiltered: DROP
      filters:
      - {behavior: KEEP, actions: [BLOCK]}
";

/// Every field works as in a region; what is shown here is what CloudFront's web ACLs start with.
pub const GLOBAL_EXAMPLE: &str = "\
acls:
  baseline:
    defaultAction: allow
    networks:
      denied: {priority: 10, action: block, lists: [denied]}
    managed:
      AWSManagedRulesKnownBadInputsRuleSet:
        priority: 110
        version: Version_1.22
        mode: count
    logging:
      to: logs://aws-waf-logs-baseline
";
