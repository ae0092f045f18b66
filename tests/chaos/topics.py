"""Changes topics while they are used: one setting, or the whole topic. Asked of a cluster that may be half dead, so each deed
says whether it was done."""

import confluent_kafka
from confluent_kafka.admin import ConfigResource, NewTopic

OF_THE_TOPIC = 1  # the source of a setting that the topic has of its own (DYNAMIC_TOPIC_CONFIG)
PATIENCE = 5
STALLING_PARTITION, STALLING_BROKER = 0, 1  # of llm.audit; without that broker the partition takes no records


def audit_replicas(partitions):
    """Which brokers have each partition of llm.audit, the leader first: without one of the three, a single partition is short
    of a replica. A topic has as many replicas of each partition."""
    return [[2, STALLING_BROKER] if number == STALLING_PARTITION else [2 + number % 2, 3 - number % 2]
            for number in range(partitions)]


def make_audit(admin, topic, partitions):
    """Before `topics apply`, which leaves its replicas as they are."""
    new = NewTopic(topic, partitions, replica_assignment=audit_replicas(partitions),
                   config={"message.timestamp.type": "LogAppendTime", "min.insync.replicas": "2"})
    admin.create_topics([new], operation_timeout=30)[topic].result(60)


class Topics:
    def __init__(self, admin):
        self.admin = admin

    def own_settings(self, topic):
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
        described = self.admin.describe_configs([resource], request_timeout=PATIENCE)[resource].result(PATIENCE)
        return {name: entry.value for name, entry in described.items() if entry.source == OF_THE_TOPIC}

    UNKNOWN = object()

    def value(self, topic, name):
        """What the topic itself says; None: it has the default; UNKNOWN: no broker answers."""
        try:
            return self.own_settings(topic).get(name)
        except Exception:  # noqa: BLE001
            return Topics.UNKNOWN

    def set(self, topic, name, value):
        """One setting; None: the default again. librdkafka's request replaces all settings, so they are read first."""
        try:
            settings = self.own_settings(topic)
            if value is None:
                settings.pop(name, None)
            else:
                settings[name] = value
            resource = ConfigResource(ConfigResource.Type.TOPIC, topic, set_config=settings)
            self.admin.alter_configs([resource], request_timeout=PATIENCE)[resource].result(PATIENCE)
            return True
        except Exception:  # noqa: BLE001  no broker answers at present
            return False

    def delete(self, topic):
        """Returns what create() needs to make it again; None: it was not deleted. Where no broker says whether it was, it is taken
        for deleted, and create() finds it there."""
        try:
            partitions = self.admin.list_topics(topic, timeout=PATIENCE).topics[topic].partitions
            replicas = [partitions[number].replicas for number in sorted(partitions)]
            again = NewTopic(topic, len(partitions), replica_assignment=replicas, config=self.own_settings(topic))
        except Exception:  # noqa: BLE001
            return None
        try:
            self.admin.delete_topics([topic], operation_timeout=PATIENCE)[topic].result(2 * PATIENCE)
        except Exception:  # noqa: BLE001
            pass
        return again

    MADE, THERE, UNKNOWN_FATE = "made", "there", "unknown"

    def create(self, new_topic):
        try:
            self.admin.create_topics([new_topic], operation_timeout=PATIENCE)[new_topic.topic].result(2 * PATIENCE)
        except confluent_kafka.KafkaException as error:
            there = error.args[0].code() == confluent_kafka.KafkaError.TOPIC_ALREADY_EXISTS
            return Topics.THERE if there else Topics.UNKNOWN_FATE
        except Exception:  # noqa: BLE001
            return Topics.UNKNOWN_FATE
        return Topics.MADE
