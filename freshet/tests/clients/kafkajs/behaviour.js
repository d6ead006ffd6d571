// KafkaJS against the broker at the address given, whose listener with logins is at the other
// address: what it observes, a line each. The lines are compared with those that an Apache Kafka
// gives, so whatever differs from run to run is left out of them.
const { Kafka, CompressionTypes, ConfigResourceTypes, logLevel } = require('kafkajs')

const TOPIC = 'from-kafkajs'
const PATIENCE = 30000
const at = (address, more) => new Kafka({ clientId: 'kafkajs', brokers: [address], logLevel: logLevel.NOTHING, retry: { retries: 2, initialRetryTime: 50 }, ...more })
const [servers, login] = process.argv.slice(2)
const kafka = at(servers)

// Prints what an action gives, or the type of the error that it ends in.
async function observe(name, action) {
  let value
  try {
    value = await action()
  } catch (error) {
    value = error.errors ? error.errors.map((e) => e.type).join(' ') : error.type || error.cause?.type || error.name
  }
  console.log(`${name}: ${value === undefined ? 'done' : typeof value === 'object' ? JSON.stringify(value) : value}`)
}

const until = async (condition) => {
  const end = Date.now() + PATIENCE
  while (!condition() && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 20))
  return condition()
}

// Reads from a group until `count` records came, and stops.
async function read(groupId, count, then) {
  const consumer = kafka.consumer({ groupId, sessionTimeout: 6000, rebalanceTimeout: 6000, heartbeatInterval: 500 })
  const records = []
  let assignment
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => (assignment = payload.memberAssignment[TOPIC]))
  await consumer.connect()
  await consumer.subscribe({ topics: [TOPIC], fromBeginning: true })
  await consumer.run({ autoCommit: false, eachMessage: async ({ partition, message }) => records.push({ partition, ...message }) })
  await until(() => records.length >= count)
  const value = then && (await then(consumer, records, assignment))
  await consumer.disconnect()
  return value
}

async function main() {
  const admin = kafka.admin()
  await admin.connect()
  const create = (topic) => admin.createTopics({ topics: [topic], waitForLeaders: true })
  await observe('create', () => create({ topic: TOPIC, numPartitions: 3, configEntries: [{ name: 'retention.ms', value: '86400000' }] }))
  await observe('create again', () => create({ topic: TOPIC, numPartitions: 3 }))
  await observe('create an illegal name', () => create({ topic: 'a/b' }))
  await observe('create with 3 replicas', () => create({ topic: 'wrong', replicationFactor: 3 }))
  await observe('create with an unknown setting', () => create({ topic: 'wrong', configEntries: [{ name: 'no.such', value: '1' }] }))
  await observe('describe', async () => (await admin.fetchTopicMetadata({ topics: [TOPIC] })).topics[0].partitions.map((p) => [p.partitionId, p.leader, p.replicas, p.isr]).sort())
  await observe('describe an unknown one', () => admin.fetchTopicMetadata({ topics: ['nowhere'] }))
  await observe('cluster', async () => (await admin.describeCluster()).brokers.length)

  const producer = kafka.producer({ allowAutoTopicCreation: false })
  await producer.connect()
  for (const [name, compression] of [['none', CompressionTypes.None], ['gzip', CompressionTypes.GZIP]]) {
    await observe(`send with ${name}`, async () => {
      const messages = [...Array(90).keys()].map((n) => ({ key: `k${n % 7}`, value: `${name}${n}`, partition: n % 3, headers: { n: `${n}` } }))
      const sent = await producer.send({ topic: TOPIC, compression, messages })
      return sent.map((p) => [p.partition, p.errorCode, p.baseOffset]).sort()
    })
  }
  await observe('send null and empty', async () => (await producer.send({ topic: TOPIC, messages: [{ partition: 0, key: 'tombstone', value: null }, { partition: 0, value: '' }] }))[0].baseOffset)
  await observe('keys are spread by murmur2', async () => {
    const sent = await producer.send({ topic: TOPIC, messages: ['a', 'b', 'c', 'd', 'e'].map((key) => ({ key, value: key })) })
    return sent.map((p) => [p.partition, p.baseOffset]).sort()
  })
  await observe('send too much', () => producer.send({ topic: TOPIC, messages: [{ partition: 0, value: 'x'.repeat(2000000) }] }))
  await observe('send to an unknown topic', () => producer.send({ topic: 'nowhere', messages: [{ value: 'v' }] }))
  await observe('send with acks=0', async () => (await producer.send({ topic: TOPIC, acks: 0, messages: [{ partition: 1, value: 'unanswered' }] })).length)
  await producer.disconnect()

  await observe('send idempotently', async () => {
    const idempotent = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
    await idempotent.connect()
    const offsets = []
    for (let n = 0; n < 3; n++) offsets.push((await idempotent.send({ topic: TOPIC, messages: [{ partition: 2, value: `idempotent${n}` }] }))[0].baseOffset)
    await idempotent.disconnect()
    return offsets
  })
  await observe('send in a transaction', async () => {
    const transactional = kafka.producer({ transactionalId: 'kafkajs', idempotent: true, maxInFlightRequests: 1 })
    await transactional.connect()
    try {
      const transaction = await transactional.transaction()
      await transaction.commit()
    } finally {
      await transactional.disconnect()
    }
  })

  const ends = (offsets) => offsets.sort((a, b) => a.partition - b.partition).map((p) => [p.low, p.high])
  await observe('offsets', async () => ends(await admin.fetchTopicOffsets(TOPIC)))
  await observe('offsets at 0', async () => (await admin.fetchTopicOffsetsByTimestamp(TOPIC, 0)).map((p) => p.offset))
  await observe('offsets in the future', async () => (await admin.fetchTopicOffsetsByTimestamp(TOPIC, Date.now() + 3600000)).map((p) => [p.partition, p.offset]).sort())

  const group = 'kafkajs-group'
  await observe('a group reads all', () => read(group, 191, async (consumer, records, assignment) => {
    await consumer.commitOffsets([0, 1, 2].map((partition) => ({ topic: TOPIC, partition, offset: '20', metadata: 'so far' })))
    const described = (await admin.describeGroups([group])).groups[0]
    return {
      records: records.length, assigned: [...assignment].sort(), state: described.state, protocol: described.protocol, type: described.protocolType,
      members: described.members.map((m) => [m.clientId, m.clientHost]), headers: records.filter((r) => r.headers?.n).every((r) => `${r.value}`.endsWith(`${r.headers.n}`)),
      nulls: records.filter((r) => r.value === null || r.value.length === 0).map((r) => `${r.key}=${r.value}`),
      inOrder: [0, 1, 2].every((p) => records.filter((r) => r.partition === p).every((r, index) => Number(r.offset) === index)),
    }
  }))
  await observe('committed', async () => (await admin.fetchOffsets({ groupId: group, topics: [TOPIC] }))[0].partitions.map((p) => [p.partition, p.offset, p.metadata]).sort())
  await observe('it goes on where it was', () => read(group, 131, async (_, records) => [records.length, Math.min(...records.map((r) => Number(r.offset)))]))
  await observe('groups', async () => (await admin.listGroups()).groups.filter((g) => g.groupId === group))
  await observe('reset offsets', () => admin.resetOffsets({ groupId: group, topic: TOPIC, earliest: true }))
  await observe('committed after that', async () => (await admin.fetchOffsets({ groupId: group, topics: [TOPIC], resolveOffsets: true }))[0].partitions.map((p) => [p.partition, p.offset]).sort())
  await observe('two members share', async () => {
    const sizes = {}
    const member = async (id) => {
      const consumer = kafka.consumer({ groupId: 'kafkajs-shared', sessionTimeout: 6000, rebalanceTimeout: 6000, heartbeatInterval: 300 })
      consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => (sizes[id] = (payload.memberAssignment[TOPIC] || []).length))
      await consumer.connect()
      await consumer.subscribe({ topics: [TOPIC], fromBeginning: true })
      await consumer.run({ eachMessage: async () => {} })
      return consumer
    }
    const one = await member('one')
    const alone = await until(() => sizes.one === 3)
    const other = await member('other')
    const shared = await until(() => sizes.one > 0 && sizes.other > 0 && sizes.one + sizes.other === 3)
    await other.disconnect()
    const handedOver = await until(() => sizes.one === 3)
    await one.disconnect()
    return { alone, shared, handedOver }
  })
  await observe('delete the groups', async () => (await admin.deleteGroups([group, 'kafkajs-shared'])).map((g) => g.errorCode || 0))
  await observe('delete them again', () => admin.deleteGroups([group]))

  const settings = async () => {
    const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [{ type: ConfigResourceTypes.TOPIC, name: TOPIC, configNames: ['retention.ms', 'segment.bytes'] }] })
    return resources[0].configEntries.map((e) => [e.configName, e.configValue, e.configSource, e.isDefault]).sort()
  }
  const alter = (name, value) => admin.alterConfigs({ resources: [{ type: ConfigResourceTypes.TOPIC, name: TOPIC, configEntries: [{ name, value }] }] })
  await observe('settings', settings)
  await observe('alter settings', () => alter('segment.bytes', '2097152'))
  await observe('settings after that', settings)
  await observe('alter to nonsense', () => alter('retention.ms', 'soon'))
  await observe('grow', () => admin.createPartitions({ topicPartitions: [{ topic: TOPIC, count: 4 }] }))
  await observe('shrink', () => admin.createPartitions({ topicPartitions: [{ topic: TOPIC, count: 1 }] }))
  await observe('delete records', () => admin.deleteTopicRecords({ topic: TOPIC, partitions: [{ partition: 0, offset: '5' }] }))
  await observe('offsets after that', async () => ends(await admin.fetchTopicOffsets(TOPIC)))
  await observe('delete records past the end', () => admin.deleteTopicRecords({ topic: TOPIC, partitions: [{ partition: 0, offset: '5000' }] }))

  await observe('create a compacted topic', () => create({ topic: `${TOPIC}-compacted`, configEntries: [{ name: 'cleanup.policy', value: 'compact' }] }))
  await observe('send without a key to it', async () => {
    const producer = kafka.producer()
    await producer.connect()
    try {
      await producer.send({ topic: `${TOPIC}-compacted`, messages: [{ value: 'no key' }] })
    } finally {
      await producer.disconnect()
    }
  })
  await observe("the broker's settings", async () => {
    const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [{ type: ConfigResourceTypes.BROKER, name: '1', configNames: ['num.partitions', 'log.retention.ms', 'message.max.bytes'] }] })
    return resources[0].configEntries.map((e) => [e.configName, e.configValue, e.configSource, e.readOnly]).sort()
  })
  await observe('reassignments', () => admin.listPartitionReassignments({ topics: [{ topic: TOPIC, partitions: [0] }] }))
  for (const [mechanism, password] of ['plain', 'scram-sha-256', 'scram-sha-512'].flatMap((mechanism) => [[mechanism, 'secret'], [mechanism, 'wrong']])) {
    await observe(`log in by ${mechanism} with a ${password} password`, async () => {
      const producer = at(login, { sasl: { mechanism, username: 'ada', password } }).producer()
      await producer.connect()
      const sent = await producer.send({ topic: TOPIC, messages: [{ partition: 1, value: 'logged in' }] })
      await producer.disconnect()
      return sent[0].baseOffset
    })
  }
  await observe('delete', () => admin.deleteTopics({ topics: [TOPIC] }))
  await observe('delete again', () => admin.deleteTopics({ topics: [TOPIC], timeout: 1000 }))
  await admin.disconnect()
}

main().then(() => process.exit(0), (error) => { console.error(error); process.exit(1) })
