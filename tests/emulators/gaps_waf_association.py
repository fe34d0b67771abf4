"""Probes of gaps.py: what web ACLs on resources, and the services of those, do otherwise than AWS."""

from __future__ import annotations

from typing import Any

from moto_server import MotoServer, code_of

HOME = "eu-west-1"
SEEN = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "m"}


def web_acl(moto: MotoServer, name: str) -> tuple[Any, str]:
    """A client of AWS WAF, and the ARN of a new web ACL."""
    waf = moto.client("wafv2", region=HOME)
    answer = waf.create_web_acl(
        Name=name, Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=SEEN, Rules=[]
    )
    return waf, answer["Summary"]["ARN"]


def load_balancer(moto: MotoServer, name: str) -> tuple[Any, str]:
    """A client of Elastic Load Balancing, and the ARN of a new application load balancer."""
    ec2 = moto.client("ec2", region=HOME)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"{HOME}{zone}")["Subnet"]["SubnetId"]
        for n, zone in enumerate("ab")
    ]
    elb = moto.client("elbv2", region=HOME)
    made = elb.create_load_balancer(Name=name, Subnets=subnets, Type="application")
    return elb, made["LoadBalancers"][0]["LoadBalancerArn"]


def stage(moto: MotoServer, name: str) -> tuple[Any, str]:
    """A client of API Gateway, and the id of a new REST API with a stage `prod`."""
    gateway = moto.client("apigateway", region=HOME)
    api = gateway.create_rest_api(name=name)["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    gateway.put_method(restApiId=api, resourceId=root, httpMethod="GET", authorizationType="NONE")
    gateway.put_integration(restApiId=api, resourceId=root, httpMethod="GET", type="MOCK")
    gateway.create_deployment(restApiId=api, stageName="prod")
    return gateway, api


def waf_resources_of_a_web_acl(moto: MotoServer) -> str | None:
    waf, acl = web_acl(moto, "listed")
    _, arn = load_balancer(moto, "listed")
    waf.associate_web_acl(WebACLArn=acl, ResourceArn=arn)
    found: list[str] = []
    code = code_of(lambda: found.extend(waf.list_resources_for_web_acl(WebACLArn=acl)["ResourceArns"]))
    return None if found == [arn] else f"ListResourcesForWebACL: {code}, {len(found)} resources"


def waf_resource_must_exist(moto: MotoServer) -> str | None:
    waf, acl = web_acl(moto, "nowhere")
    absent = f"arn:aws:elasticloadbalancing:{HOME}:123456789012:loadbalancer/app/absent/50dc6c495c0c9188"
    code = code_of(lambda: waf.associate_web_acl(WebACLArn=acl, ResourceArn=absent))
    return None if code == "WAFNonexistentItemException" else f"AssociateWebACL with an absent load balancer: {code}"


def waf_graphql_api_says_its_web_acl(moto: MotoServer) -> str | None:
    waf, acl = web_acl(moto, "graph")
    appsync = moto.client("appsync", region=HOME)
    arn = appsync.create_graphql_api(name="graph", authenticationType="API_KEY")["graphqlApi"]["arn"]
    waf.associate_web_acl(WebACLArn=acl, ResourceArn=arn)
    apis = appsync.list_graphql_apis()["graphqlApis"]
    told = next(api.get("wafWebAclArn") for api in apis if api["arn"] == arn)
    return None if told == acl else f"ListGraphqlApis after AssociateWebACL: wafWebAclArn {told}"


def apigateway_pages(moto: MotoServer) -> str | None:
    for name in ("page-a", "page-b"):
        gateway, _ = stage(moto, name)
    answer = gateway.get_rest_apis(limit=1)
    shown, position = len(answer["items"]), answer.get("position")
    return None if shown == 1 and position else f"limit=1 shows {shown}, position {position}"


def appsync_types(moto: MotoServer) -> str | None:
    appsync = moto.client("appsync", region=HOME)
    appsync.create_graphql_api(name="standard", authenticationType="API_KEY")
    merged = appsync.list_graphql_apis(apiType="MERGED")["graphqlApis"]
    return None if not merged else f"apiType=MERGED lists {len(merged)} standard APIs"


def cognito_tags(moto: MotoServer) -> str | None:
    cognito = moto.client("cognito-idp", region=HOME)
    pool = cognito.create_user_pool(PoolName="tagged", UserPoolTags={"exposure": "public"})["UserPool"]
    tags: dict[str, str] = {}
    code = code_of(lambda: tags.update(cognito.list_tags_for_resource(ResourceArn=pool["Arn"])["Tags"]))
    return None if tags == {"exposure": "public"} else f"ListTagsForResource of a user pool: {code}, {tags}"


def apprunner_services(moto: MotoServer) -> str | None:
    apprunner = moto.client("apprunner", region=HOME)
    code = code_of(apprunner.list_services)
    return None if code == "answered" else f"ListServices: {code}"


PROBES = (
    waf_resources_of_a_web_acl,
    waf_resource_must_exist,
    waf_graphql_api_says_its_web_acl,
    apigateway_pages,
    appsync_types,
    cognito_tags,
    apprunner_services,
)
