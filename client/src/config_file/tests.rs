//! Files as clouds hand them out, with made-up names and secrets. Each was held against what its
//! vendor publishes.

use super::*;

/// Confluent Cloud, for Java: the template of its console, to be found in many public projects by
/// its first line.
const CONFLUENT: &str = "\
# Required connection configs for Kafka producer, consumer, and admin
bootstrap.servers=pkc-00000.us-west4.gcp.confluent.cloud:9092
security.protocol=SASL_SSL
sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username='KEY1' password='s3cr3t/+=';
sasl.mechanism=PLAIN
# Required for correctness in Apache Kafka clients prior to 2.6
client.dns.lookup=use_all_dns_ips
# Best practice for higher availability in Apache Kafka clients prior to 3.0
session.timeout.ms=45000
# Best practice for Kafka producer to prevent data loss
acks=all
schema.registry.url=https://psrc-00000.us-west4.gcp.confluent.cloud
basic.auth.credentials.source=USER_INFO
basic.auth.user.info=KEY2:s3cr3t
";

/// The same for librdkafka, with the line in which newer ones name the client.
const CONFLUENT_C: &str = "\
# Required connection configs for Kafka producer, consumer, and admin
bootstrap.servers=pkc-00000.us-west4.gcp.confluent.cloud:9092
security.protocol=SASL_SSL
sasl.mechanisms=PLAIN
sasl.username=KEY1
sasl.password=s3cr3t/+=
# Best practice for higher availability in librdkafka clients prior to 1.7
session.timeout.ms=45000
client.id=ccloud-python-client-1
";

/// Aiven: certificates on both sides, in Java's stores
/// (<https://aiven.io/docs/products/kafka/howto/list-tools>).
const AIVEN: &str = "\
security.protocol=SSL
ssl.protocol=TLS
ssl.endpoint.identification.algorithm=
ssl.keystore.type=PKCS12
ssl.keystore.location=client.keystore.p12
ssl.keystore.password=s3cr3t
ssl.key.password=s3cr3t
ssl.truststore.type=JKS
ssl.truststore.location=client.truststore.jks
ssl.truststore.password=s3cr3t
";

/// The same for librdkafka (<https://aiven.io/docs/products/kafka/howto/kcat>).
const AIVEN_C: &str = "\
bootstrap.servers=demo-kafka.my-demo-project.aivencloud.com:17072
security.protocol=ssl
ssl.key.location=service.key
ssl.certificate.location=service.cert
ssl.ca.location=ca.pem
";

/// Amazon MSK with SCRAM, as its guide has it: the user stands in another file, which only Java
/// reads, and the truststore is a copy of Java's own
/// (<https://docs.aws.amazon.com/msk/latest/developerguide/msk-password.html>).
const MSK_OF_ITS_GUIDE: &str = "\
security.protocol=SASL_SSL
sasl.mechanism=SCRAM-SHA-512
ssl.truststore.location=/tmp/kafka.client.truststore.jks
";

/// The same with that user, over several lines.
const MSK: &str = "\
security.protocol=SASL_SSL
sasl.mechanism=SCRAM-SHA-512
sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \\
  username=\"alice\" \\
  password=\"s3cr3t\";
";

/// Redpanda Cloud. It has no file of its own; for Java these are the names, and a user has one
/// mechanism (<https://docs.redpanda.com/redpanda-cloud/develop/kafka-clients/>).
const REDPANDA: &str = "\
bootstrap.servers: 0123abc.any.us-east-1.mpx.prd.cloud.redpanda.com:9092
security.protocol: SASL_SSL
sasl.mechanism: SCRAM-SHA-256
sasl.jaas.config: org.apache.kafka.common.security.scram.ScramLoginModule required username=\"alice\" password=\"s3cr3t\";
";

fn parsed(text: &str) -> Result<ConfigFile, Problem> {
    ConfigFile::parse(Path::new("c.properties"), text, true)
}

fn said(text: &str) -> Vec<String> {
    let file = parsed(text).unwrap_or_else(|problem| panic!("{problem:?}: {text}"));
    let mut said: Vec<String> = file.properties.iter().map(|(key, value)| format!("{key}={value}")).collect();
    said.sort_unstable();
    said
}

fn refused(text: &str) -> (Option<usize>, String) {
    let problem = parsed(text).err().unwrap_or_else(|| panic!("{text} is taken"));
    assert!(!problem.what.contains("s3cr3t"), "{problem:?}");
    (problem.line, problem.what)
}

#[test]
fn confluent_cloud_is_reached_by_its_file_for_java_and_by_that_for_librdkafka() {
    let expected = [
        "sasl.mechanism=PLAIN",
        "sasl.password=s3cr3t/+=",
        "sasl.username=KEY1",
        "security.protocol=sasl_ssl",
        "ssl.ca.location=probe",
    ];
    for text in [CONFLUENT, CONFLUENT_C] {
        assert_eq!(said(text), expected);
        let file = parsed(text).unwrap();
        assert_eq!(file.servers(), Some("pkc-00000.us-west4.gcp.confluent.cloud:9092"));
        assert!(file.passed_over().contains(&"session.timeout.ms".to_owned()));
        assert!(!format!("{file:?}").contains("s3cr3t"));
    }
    assert_eq!(parsed(CONFLUENT).unwrap().warnings(), Vec::<String>::new());
    let warnings = parsed(CONFLUENT_C).unwrap().warnings();
    assert_eq!(warnings, ["c.properties: freshet decides itself about client.id; that is passed over"]);
}

#[test]
fn scram_is_taken_from_the_files_of_msk_and_redpanda() {
    for (text, mechanism) in [(MSK, "512"), (REDPANDA, "256")] {
        let expected = [
            &*format!("sasl.mechanism=SCRAM-SHA-{mechanism}"),
            "sasl.password=s3cr3t",
            "sasl.username=alice",
            "security.protocol=sasl_ssl",
            "ssl.ca.location=probe",
        ];
        assert_eq!(said(text), expected);
    }
    assert_eq!(parsed(MSK).unwrap().servers(), None);
}

/// Of the file in the guide of MSK two things can't be used, and of each it is said what to write.
#[test]
fn what_msk_leaves_to_java_is_asked_for() {
    let (line, what) = refused(MSK_OF_ITS_GUIDE);
    assert!(
        line == Some(2) && what.contains("user and password are missing: write sasl.jaas.config"),
        "{what}"
    );
    let (line, what) = refused(&format!("{MSK}ssl.truststore.location=/tmp/kafka.client.truststore.jks\n"));
    assert_eq!(line, Some(6));
    assert!(
        what.contains("leave it out where a public authority has signed the cluster's certificate"),
        "{what}"
    );
}

#[test]
fn aiven_is_reached_by_the_files_that_it_hands_out() {
    let expected = [
        "security.protocol=ssl",
        "ssl.ca.location=ca.pem",
        "ssl.certificate.location=service.cert",
        "ssl.key.location=service.key",
    ];
    assert_eq!(said(AIVEN_C), expected);
}

#[test]
fn stores_that_only_java_reads_are_refused_with_the_command_that_helps() {
    let (line, what) = refused(AIVEN);
    assert_eq!(line, Some(9));
    assert!(what.contains("keytool -list -rfc -keystore client.truststore.jks > ca.pem"), "{what}");
    let with_pem = AIVEN.replace("JKS", "PEM").replace("client.truststore.jks", "ca.pem");
    let expected = [
        "security.protocol=ssl",
        "ssl.ca.location=ca.pem",
        "ssl.endpoint.identification.algorithm=none",
        "ssl.key.password=s3cr3t",
        "ssl.keystore.location=client.keystore.p12",
        "ssl.keystore.password=s3cr3t",
    ];
    assert_eq!(said(&with_pem), expected);
    let trust = |location: &str| format!("security.protocol=SSL\nssl.truststore.location={location}");
    assert!(refused(&trust("t.p12")).1.contains("openssl pkcs12 -in t.p12 -nokeys"));
    assert!(refused(&trust("t")).1.contains("keytool -list"), "Java's default is JKS");
    assert!(said(&trust("t.pem")).contains(&"ssl.ca.location=t.pem".to_owned()));
    let (line, what) = refused("security.protocol=SSL\n\nssl.keystore.location=k.jks");
    assert_eq!(line, Some(3));
    assert!(what.contains("keytool -importkeystore -srckeystore k.jks"), "{what}");
}

#[test]
fn certificates_and_keys_may_stand_in_the_file_itself() {
    let text = "security.protocol=SSL
ssl.truststore.type=PEM
ssl.truststore.certificates=-----BEGIN CERTIFICATE-----\\n\\
  AAAA\\n-----END CERTIFICATE-----
ssl.keystore.type=PEM
ssl.keystore.certificate.chain=chain
ssl.keystore.key=s3cr3t";
    let expected = [
        "security.protocol=ssl",
        "ssl.ca.pem=-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
        "ssl.certificate.pem=chain",
        "ssl.key.pem=s3cr3t",
    ];
    assert_eq!(said(text), expected);
    let of_file = "security.protocol=SSL\nssl.keystore.type=PEM\nssl.keystore.location=me.pem";
    assert!(said(of_file).contains(&"ssl.certificate.location=me.pem".to_owned()));
    assert!(said(of_file).contains(&"ssl.key.location=me.pem".to_owned()));
}

#[test]
fn a_login_without_tls_has_no_property_of_tls() {
    let text =
        CONFLUENT.replace("SASL_SSL", "sasl_plaintext") + "ssl.truststore.location=t.jks\nssl.key.password=x";
    let expected = [
        "sasl.mechanism=PLAIN",
        "sasl.password=s3cr3t/+=",
        "sasl.username=KEY1",
        "security.protocol=sasl_plaintext",
    ];
    assert_eq!(said(&text), expected);
    assert_eq!(said(""), ["security.protocol=plaintext"]);
    let again = "client.rack=a\nclient.rack=b";
    assert_eq!(said(again), ["client.rack=b", "security.protocol=plaintext"], "the last counts, as in Java");
}

/// Amazon MSK and Google's Kafka let in by ways that are not ours: that is what is said, not that
/// their properties were no client's.
#[test]
fn ways_to_log_in_that_are_not_there_are_called_by_their_name() {
    let msk = "\
security.protocol=SASL_SSL
sasl.mechanism=AWS_MSK_IAM
sasl.jaas.config=software.amazon.msk.auth.iam.IAMLoginModule required;
sasl.client.callback.handler.class=software.amazon.msk.auth.iam.IAMClientCallbackHandler
";
    let google = "\
security.protocol=SASL_SSL
sasl.mechanism=OAUTHBEARER
sasl.oauthbearer.token.endpoint.url=http://localhost:14293
sasl.oauthbearer.client.id=unused
sasl.oauthbearer.client.secret=s3cr3t
sasl.oauthbearer.method=oidc
";
    for (text, mechanism) in [(msk, "AWS_MSK_IAM"), (google, "OAUTHBEARER")] {
        let (line, what) = refused(text);
        assert!(
            line == Some(2) && what.starts_with(&format!("sasl.mechanism={mechanism} is none")),
            "{what}"
        );
    }
}

#[test]
fn names_that_are_not_known_are_passed_over_and_librdkafkas_are_passed_on() {
    let text = "message.max.bytes=5000000\ndebug=broker\nstatistics.interval.ms=5000\n\
                topic.metadata.refresh.interval.ms=1000\napi.version.fallback.ms=0\nlog_level=7\n\
                num.stream.threads=2\nmy.own.invention=s3cr3t\n";
    let expected = [
        "api.version.fallback.ms=0",
        "debug=broker",
        "message.max.bytes=5000000",
        "security.protocol=plaintext",
        "statistics.interval.ms=5000",
        "topic.metadata.refresh.interval.ms=1000",
    ];
    assert_eq!(said(text), expected);
    let file = parsed(text).unwrap();
    assert_eq!(file.passed_over(), ["log_level"]);
    let warned =
        "c.properties: freshet has no use for num.stream.threads, my.own.invention; that is passed over";
    assert_eq!(file.warnings(), [warned]);
}

/// Each a line of a file for a login, replaced.
#[test]
fn what_is_wrong_is_said_with_its_line_and_what_to_write() {
    let cases = [
        ("sasl.mechanism=PLAIN", "sasl.mechanim=PLAIN", Some(5), "did you mean sasl.mechanism?"),
        (
            "us-west4.gcp.confluent.cloud:9092",
            "x:99999",
            Some(2),
            "bootstrap.servers can't be used: behind the colon",
        ),
        ("servers=", "servers=\"", Some(2), "there are quotes in it"),
        ("acks=all", "message.max.byte=1", Some(11), "did you mean message.max.bytes?"),
        ("acks=all", "s3cr3t", Some(11), "this is no property"),
        ("acks=all", "s3cr3t.x", Some(11), "this is no property"),
        ("acks=all", "\"s3cr3t\";=x", Some(11), "this is no property"),
        ("acks=all", "a.b=\\u12", Some(11), "four hexadecimal digits"),
        ("=SASL_SSL", "=TLS", Some(3), "security.protocol is none that there is: write PLAINTEXT, SSL"),
        ("=SASL_SSL", "=s3cr3t", Some(3), "security.protocol is none that there is"),
        (
            "sasl.mechanism=PLAIN",
            "sasl.mechanism=s3cr3t",
            Some(5),
            "sasl.mechanism is none that freshet can use",
        ),
        ("security.protocol=SASL_SSL", "", Some(4), "write security.protocol=SASL_SSL"),
        ("=SASL_SSL", "=SSL", Some(4), "is of no use to SSL: write security.protocol=SASL_SSL"),
        ("sasl.mechanism=PLAIN", "", Some(3), "sasl.mechanism is missing"),
        ("sasl.mechanism=PLAIN", "sasl.mechanism=AWS_MSK_IAM", Some(5), "sasl.mechanism=AWS_MSK_IAM is none"),
        ("plain.PlainLoginModule", "iam.IAMLoginModule", Some(4), "names a login module that only Java has"),
        ("';\n", "'\n", Some(4), "sasl.jaas.config can't be read"),
        ("password=", "pass=", Some(4), "lacks the username or the password"),
        ("sasl.jaas.config", "sasl.username", Some(5), "user and password are missing"),
    ];
    for (from, to, line, words) in cases {
        assert!(CONFLUENT.contains(from), "{from}");
        let (at, what) = refused(&CONFLUENT.replacen(from, to, 1));
        assert!(what.contains(words) && at == line, "{from} -> {to}: {at:?} {what}");
    }
}

#[test]
fn without_openssl_it_says_how_to_build_with_it() {
    let without = |text: &str| ConfigFile::parse(Path::new("c"), text, false);
    for (text, line, words) in [
        (CONFLUENT, 3, "security.protocol=SASL_SSL needs OpenSSL"),
        (AIVEN, 1, "security.protocol=SSL needs OpenSSL"),
        (&MSK.replace("SASL_SSL", "SASL_PLAINTEXT"), 2, "sasl.mechanism=SCRAM-SHA-512 needs OpenSSL"),
    ] {
        let problem = without(text).unwrap_err();
        assert!(problem.what.starts_with(words) && problem.what.contains("--features ssl"), "{problem:?}");
        assert_eq!(problem.line, Some(line));
    }
    assert!(without(&CONFLUENT.replace("SASL_SSL", "SASL_PLAINTEXT")).is_ok());
    // What no other build could do either.
    let problem = without(&MSK.replace("SCRAM-SHA-512", "AWS_MSK_IAM")).unwrap_err();
    assert!(problem.what.starts_with("sasl.mechanism=AWS_MSK_IAM is none"), "{problem:?}");
}
