"""A real Kafka of its own for one test module, secured as an installation is: SASL_SSL with a private CA for clients, and the
standard authorizer, which denies whatever no ACL allows. A second listener without any security is the test's own way in."""

import ctypes
import os
import pathlib
import subprocess
import time

import confluent_kafka

from stack import free_port, wait_until

USERS = ("operator", "router", "sync", "api", "chat", "sender", "reader", "auditor", "founder")
PASSWORD = "only-for-this-test"
CLUSTER_ID = "dG9rZW5yYWlsLWRldi0xMA"

RESOURCES = {"topic": 2, "group": 3, "cluster": 4}
OPERATIONS = {"Read": 3, "Write": 4, "Create": 5, "Delete": 6, "Alter": 7, "Describe": 8, "DescribeConfigs": 10,
              "AlterConfigs": 11}
LITERAL, ALLOW = 3, 3


def run(*arguments, cwd=None):
    subprocess.run([str(a) for a in arguments], cwd=cwd, check=True, capture_output=True, timeout=300)


def make_certificates(folder):
    """A CA, and a key with certificate for 127.0.0.1 signed by it, as PEM files."""
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=private CA",
        "-keyout", "ca.key", "-out", "ca.pem", cwd=folder)
    run("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=broker", "-keyout", "broker.key",
        "-out", "broker.csr", cwd=folder)
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    run("openssl", "x509", "-req", "-in", "broker.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
        "-days", "2", "-extfile", "names", "-out", "broker.pem", cwd=folder)
    store = (folder / "broker.key").read_text() + (folder / "broker.pem").read_text()
    (folder / "keystore.pem").write_text(store)


class SecuredKafka:
    def __init__(self, folder, distribution):
        self.folder = pathlib.Path(folder)
        make_certificates(self.folder)
        self.port, self.inner_port, controller = free_port(), free_port(), free_port()
        self.bootstrap = f"127.0.0.1:{self.port}"
        self.inner = f"127.0.0.1:{self.inner_port}"
        users = " ".join(f'user_{name}="{PASSWORD}"' for name in USERS)
        properties = self.folder / "server.properties"
        properties.write_text(f"""
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=SASL_SSL://{self.bootstrap},INNER://{self.inner},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=SASL_SSL://{self.bootstrap},INNER://{self.inner}
inter.broker.listener.name=INNER
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,INNER:PLAINTEXT,SASL_SSL:SASL_SSL
sasl.enabled.mechanisms=PLAIN
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required {users};
ssl.keystore.type=PEM
ssl.keystore.location={self.folder / "keystore.pem"}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
allow.everyone.if.no.acl.found=false
log.dirs={self.folder / "data"}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=4194304
""")
        java = ["java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", f"{distribution}/lib/*"]
        run(*java, "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", properties)
        self.log = self.folder / "broker.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([*java, "kafka.Kafka", str(properties)], stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            wait_until("the secured broker answers", self._answers)
        except AssertionError as error:
            self.close()
            raise AssertionError(f"{error}\n{self.log.read_text()[-3000:]}") from None
        self.acls = Acls(self.inner)

    def _answers(self):
        assert self.process.poll() is None, self.log.read_text()[-3000:]
        client = confluent_kafka.Consumer({"bootstrap.servers": self.inner, "group.id": "probe", "log_level": 0})
        try:
            return bool(client.list_topics(timeout=1).brokers)
        except confluent_kafka.KafkaException:
            return False
        finally:
            client.close()

    def settings_of(self, user):
        return {
            "TOKENRAIL_KAFKA_BOOTSTRAP_SERVERS": self.bootstrap,
            "TOKENRAIL_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "TOKENRAIL_KAFKA_SASL_MECHANISM": "PLAIN",
            "TOKENRAIL_KAFKA_SASL_USERNAME": user,
            "TOKENRAIL_KAFKA_SASL_PASSWORD": PASSWORD,
            "TOKENRAIL_KAFKA_SSL_CA_LOCATION": str(self.folder / "ca.pem"),
        }

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class Acls:
    """Adds and removes ACLs, and waits until the broker goes by them. Debian's confluent_kafka cannot, the librdkafka below it can."""

    def __init__(self, bootstrap):
        library = ctypes.CDLL("librdkafka.so.1")
        for name in ("rd_kafka_conf_new", "rd_kafka_new", "rd_kafka_queue_new", "rd_kafka_AclBinding_new",
                     "rd_kafka_AclBindingFilter_new", "rd_kafka_queue_poll", "rd_kafka_event_error_string",
                     "rd_kafka_event_CreateAcls_result", "rd_kafka_CreateAcls_result_acls",
                     "rd_kafka_event_DeleteAcls_result", "rd_kafka_DeleteAcls_result_responses",
                     "rd_kafka_DeleteAcls_result_response_matching_acls", "rd_kafka_acl_result_error",
                     "rd_kafka_event_DescribeAcls_result", "rd_kafka_DescribeAcls_result_acls"):
            getattr(library, name).restype = ctypes.c_void_p
        self.library, self.error = library, ctypes.create_string_buffer(512)
        conf = ctypes.c_void_p(library.rd_kafka_conf_new())
        library.rd_kafka_conf_set(conf, b"bootstrap.servers", bootstrap.encode(), self.error, 512)
        self.client = ctypes.c_void_p(library.rd_kafka_new(0, conf, self.error, 512))
        assert self.client.value, self.error.value
        self.queue = ctypes.c_void_p(library.rd_kafka_queue_new(self.client))

    def _binding(self, make, acl):
        bound = make(RESOURCES[acl["resource"]], acl["name"].encode(), LITERAL, acl["principal"].encode(), b"*",
                     OPERATIONS[acl["operation"]], ALLOW, self.error, 512)
        assert bound, self.error.value
        return ctypes.c_void_p(bound)

    def _call(self, request, bindings):
        array = (ctypes.c_void_p * len(bindings))(*[b.value for b in bindings])
        request(self.client, array, ctypes.c_size_t(len(bindings)), None, self.queue)
        event = ctypes.c_void_p(self.library.rd_kafka_queue_poll(self.queue, 120_000))
        assert event.value, "no answer about ACLs within 120 s"
        assert self.library.rd_kafka_event_error(event) == 0
        for binding in bindings:
            self.library.rd_kafka_AclBinding_destroy(binding)
        return event

    def _wait(self, acl, present):
        """The broker learns from the controller a moment after a change was answered. This question it answers itself."""
        def known():
            binding = self._binding(self.library.rd_kafka_AclBindingFilter_new, acl)
            self.library.rd_kafka_DescribeAcls(self.client, binding, None, self.queue)
            event = ctypes.c_void_p(self.library.rd_kafka_queue_poll(self.queue, 120_000))
            assert event.value and self.library.rd_kafka_event_error(event) == 0
            count = ctypes.c_size_t()
            result = ctypes.c_void_p(self.library.rd_kafka_event_DescribeAcls_result(event))
            self.library.rd_kafka_DescribeAcls_result_acls(result, ctypes.byref(count))
            self.library.rd_kafka_event_destroy(event)
            self.library.rd_kafka_AclBinding_destroy(binding)
            return (count.value > 0) == present
        wait_until(f"the broker goes by {'' if present else 'the removal of '}{acl}", known)

    def add(self, acls):
        event = self._call(self.library.rd_kafka_CreateAcls,
                           [self._binding(self.library.rd_kafka_AclBinding_new, acl) for acl in acls])
        count = ctypes.c_size_t()
        result = ctypes.c_void_p(self.library.rd_kafka_event_CreateAcls_result(event))
        answers = self.library.rd_kafka_CreateAcls_result_acls(result, ctypes.byref(count))
        answers = ctypes.cast(ctypes.c_void_p(answers), ctypes.POINTER(ctypes.c_void_p))
        assert count.value == len(acls)
        for i in range(count.value):
            assert not self.library.rd_kafka_acl_result_error(ctypes.c_void_p(answers[i]))
        self.library.rd_kafka_event_destroy(event)
        for acl in acls:
            self._wait(acl, present=True)

    def remove(self, acl):
        event = self._call(self.library.rd_kafka_DeleteAcls,
                           [self._binding(self.library.rd_kafka_AclBindingFilter_new, acl)])
        count = ctypes.c_size_t()
        result = ctypes.c_void_p(self.library.rd_kafka_event_DeleteAcls_result(event))
        answers = self.library.rd_kafka_DeleteAcls_result_responses(result, ctypes.byref(count))
        answers = ctypes.cast(ctypes.c_void_p(answers), ctypes.POINTER(ctypes.c_void_p))
        assert count.value == 1
        self.library.rd_kafka_DeleteAcls_result_response_matching_acls(ctypes.c_void_p(answers[0]), ctypes.byref(count))
        assert count.value == 1, f"{acl} was not there"
        self.library.rd_kafka_event_destroy(event)
        self._wait(acl, present=False)
