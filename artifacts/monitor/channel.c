/*
 * A driver for one port of a virtio console device (VIRTIO 1.2, 4.2 and 5.3). The port is a virtserialport, which holds the guest
 * back when its reader is behind; a virtconsole would lose bytes then.
 */
#include "machine.h"

/* The first virtio-mmio transport of QEMU's virt machine. */
#define TRANSPORT 0x0a000000ul
enum {
    MAGIC = 0x000,
    VERSION = 0x004,
    DEVICE_ID = 0x008,
    DRIVER_FEATURES = 0x020,
    DRIVER_FEATURES_SELECT = 0x024,
    QUEUE_SELECT = 0x030,
    QUEUE_SIZE_MAX = 0x034,
    QUEUE_SIZE = 0x038,
    QUEUE_READY = 0x044,
    QUEUE_NOTIFY = 0x050,
    INTERRUPT_STATUS = 0x060,
    INTERRUPT_ACKNOWLEDGE = 0x064,
    STATUS = 0x070,
    QUEUE_DESCRIPTORS = 0x080,
    QUEUE_AVAILABLE = 0x090,
    QUEUE_USED = 0x0a0,
};
#define MAGIC_VALUE 0x74726976
#define CONSOLE_DEVICE 3
#define STATUS_ACKNOWLEDGE 1
#define STATUS_DRIVER 2
#define STATUS_DRIVER_OK 4
#define STATUS_FEATURES_OK 8
#define FEATURE_MULTIPORT (1u << 1)
/* Bit 32. */
#define FEATURE_VERSION_1_HIGH 1u

#define QUEUE_ENTRIES 64
#define DESCRIPTOR_WRITE 2
#define USED_NO_NOTIFY 1
#define AVAILABLE_NO_INTERRUPT 1

struct descriptor {
    uint64_t address;
    uint32_t length;
    uint16_t flags;
    uint16_t next;
};
struct available {
    uint16_t flags;
    uint16_t index;
    uint16_t ring[QUEUE_ENTRIES];
};
struct used {
    uint16_t flags;
    uint16_t index;
    struct {
        uint32_t id;
        uint32_t length;
    } ring[QUEUE_ENTRIES];
};
struct queue {
    struct descriptor descriptors[QUEUE_ENTRIES] __attribute__((aligned(4096)));
    struct available available __attribute__((aligned(4096)));
    struct used used __attribute__((aligned(4096)));
    unsigned number;
    /* Consumed part of used.index. */
    uint16_t seen;
};

/* Queues of the device: control in both directions, and of port 1, since port 0 is for consoles. */
enum { CONTROL_IN = 2, CONTROL_OUT = 3, PORT_IN = 4, PORT_OUT = 5 };
static struct queue control_in, control_out, port_in, port_out;

/* VIRTIO 1.2, 5.3.6.2. */
struct control {
    uint32_t port;
    uint16_t event;
    uint16_t value;
};
enum { DEVICE_READY = 0, PORT_ADD = 1, PORT_READY = 3, PORT_OPEN = 6 };
#define PORT 1
#define CONTROL_MESSAGES 8
/* The port's name may follow a message. */
static uint8_t control_messages[CONTROL_MESSAGES][256] __attribute__((aligned(8)));

static volatile uint16_t *shared(uint16_t *field)
{
    return field;
}

static void set_up(struct queue *queue, unsigned number)
{
    queue->number = number;
    mmio_write(TRANSPORT + QUEUE_SELECT, queue->number);
    if (mmio_read(TRANSPORT + QUEUE_SIZE_MAX) < QUEUE_ENTRIES)
        die("the virtio queues are too short: ", queue->number);
    mmio_write(TRANSPORT + QUEUE_SIZE, QUEUE_ENTRIES);
    const uint64_t parts[][2] = {
        { QUEUE_DESCRIPTORS, (uint64_t)queue->descriptors },
        { QUEUE_AVAILABLE, (uint64_t)&queue->available },
        { QUEUE_USED, (uint64_t)&queue->used },
    };
    for (unsigned i = 0; i < 3; i++) {
        mmio_write(TRANSPORT + parts[i][0], (uint32_t)parts[i][1]);
        mmio_write(TRANSPORT + parts[i][0] + 4, (uint32_t)(parts[i][1] >> 32));
    }
    mmio_write(TRANSPORT + QUEUE_READY, 1);
}

static void offer(struct queue *queue, unsigned slot, const void *buffer, uint32_t length, uint16_t flags)
{
    queue->descriptors[slot] = (struct descriptor){ (uint64_t)buffer, length, flags, 0 };
    queue->available.ring[queue->available.index % QUEUE_ENTRIES] = (uint16_t)slot;
    barrier();
    *shared(&queue->available.index) = (uint16_t)(queue->available.index + 1);
    barrier();
}

static void notify(struct queue *queue)
{
    if ((*shared(&queue->used.flags) & USED_NO_NOTIFY) == 0)
        mmio_write(TRANSPORT + QUEUE_NOTIFY, queue->number);
}

static bool has_used(struct queue *queue)
{
    bool any = *shared(&queue->used.index) != queue->seen;
    barrier();
    return any;
}

/* Sleeps until the device has used a buffer of the queue. */
static void await(struct queue *queue)
{
    *shared(&queue->available.flags) = 0;
    barrier();
    while (!has_used(queue)) {
        sleep_for(WAKE_CHANNEL);
        mmio_write(TRANSPORT + INTERRUPT_ACKNOWLEDGE, mmio_read(TRANSPORT + INTERRUPT_STATUS));
    }
    *shared(&queue->available.flags) = AVAILABLE_NO_INTERRUPT;
}

static void send_control(uint32_t port, uint16_t event, uint16_t value)
{
    static struct control message;
    message = (struct control){ port, event, value };
    offer(&control_out, 0, &message, sizeof(message), 0);
    mmio_write(TRANSPORT + QUEUE_NOTIFY, control_out.number);
    await(&control_out);
    control_out.seen++;
}

/* Waits for a control message about our port, and skips others, such as its name. */
static void await_control(uint16_t event)
{
    for (;;) {
        await(&control_in);
        unsigned slot = control_in.used.ring[control_in.seen++ % QUEUE_ENTRIES].id % CONTROL_MESSAGES;
        struct control message;
        memcpy(&message, control_messages[slot], sizeof(message));
        offer(&control_in, slot, control_messages[slot], sizeof(control_messages[slot]), DESCRIPTOR_WRITE);
        notify(&control_in);
        if (message.port == PORT && message.event == event)
            return;
    }
}

static uint8_t input[0x10000] __attribute__((aligned(4096), section(".noinit")));
/* The part of the input buffer that has not been read yet. */
static uint32_t input_at, input_end;

static void offer_input(void)
{
    offer(&port_in, 0, input, sizeof(input), DESCRIPTOR_WRITE);
    mmio_write(TRANSPORT + QUEUE_NOTIFY, port_in.number);
}

void channel_init(void)
{
    if (mmio_read(TRANSPORT + MAGIC) != MAGIC_VALUE || mmio_read(TRANSPORT + VERSION) != 2 ||
        mmio_read(TRANSPORT + DEVICE_ID) != CONSOLE_DEVICE)
        die("no virtio serial device; the kind of device is ", mmio_read(TRANSPORT + DEVICE_ID));
    mmio_write(TRANSPORT + STATUS, 0);
    mmio_write(TRANSPORT + STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
    mmio_write(TRANSPORT + DRIVER_FEATURES_SELECT, 0);
    mmio_write(TRANSPORT + DRIVER_FEATURES, FEATURE_MULTIPORT);
    mmio_write(TRANSPORT + DRIVER_FEATURES_SELECT, 1);
    mmio_write(TRANSPORT + DRIVER_FEATURES, FEATURE_VERSION_1_HIGH);
    mmio_write(TRANSPORT + STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
    set_up(&control_in, CONTROL_IN);
    set_up(&control_out, CONTROL_OUT);
    set_up(&port_in, PORT_IN);
    set_up(&port_out, PORT_OUT);
    mmio_write(TRANSPORT + STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK);

    for (unsigned slot = 0; slot < CONTROL_MESSAGES; slot++)
        offer(&control_in, slot, control_messages[slot], sizeof(control_messages[slot]), DESCRIPTOR_WRITE);
    mmio_write(TRANSPORT + QUEUE_NOTIFY, control_in.number);
    send_control(0, DEVICE_READY, 1);
    await_control(PORT_ADD);
    send_control(PORT, PORT_READY, 1);
    send_control(PORT, PORT_OPEN, 1);
    /* Until the other side is connected, the device drops what is written. */
    await_control(PORT_OPEN);
    offer_input();
}

/*
 * What is written goes through a ring of bytes, in pieces that the device takes one after the other. `taken` and `written` only
 * grow; `begun` is where the piece starts that the device was not told of yet.
 */
#define RING_BYTES 0x100000ul
static uint8_t ring[RING_BYTES] __attribute__((aligned(4096), section(".noinit")));
static uint64_t taken, begun, written;
static uint32_t piece_bytes[QUEUE_ENTRIES];
static uint64_t pieces_offered;

static void collect_used(void)
{
    while (has_used(&port_out))
        taken += piece_bytes[port_out.seen++ % QUEUE_ENTRIES];
}

static void make_room(void)
{
    await(&port_out);
    collect_used();
}

void channel_flush(void)
{
    uint32_t bytes = (uint32_t)(written - begun);
    if (bytes == 0)
        return;
    collect_used();
    while ((uint16_t)(pieces_offered - port_out.seen) == QUEUE_ENTRIES)
        make_room();
    unsigned slot = pieces_offered++ % QUEUE_ENTRIES;
    piece_bytes[slot] = bytes;
    offer(&port_out, slot, ring + begun % RING_BYTES, bytes, 0);
    begun = written;
    notify(&port_out);
}

void channel_write(const void *bytes, size_t count)
{
    const uint8_t *from = bytes;
    while (count > 0) {
        uint64_t at = written % RING_BYTES;
        uint64_t room = RING_BYTES - (written - taken);
        uint64_t chunk = RING_BYTES - at;
        if (room == 0) {
            channel_flush();
            collect_used();
            if (RING_BYTES == written - taken)
                make_room();
            continue;
        }
        chunk = chunk < room ? chunk : room;
        chunk = chunk < count ? chunk : count;
        memcpy(ring + at, from, chunk);
        written += chunk;
        from += chunk;
        count -= chunk;
        /* A chunk does not wrap around the end of the ring. */
        if (written % RING_BYTES == 0)
            channel_flush();
    }
}

void channel_read(void *bytes, size_t count)
{
    uint8_t *to = bytes;
    while (count > 0) {
        if (input_at == input_end) {
            await(&port_in);
            input_end = port_in.used.ring[port_in.seen++ % QUEUE_ENTRIES].length;
            input_at = 0;
        }
        size_t chunk = input_end - input_at < count ? input_end - input_at : count;
        memcpy(to, input + input_at, chunk);
        input_at += (uint32_t)chunk;
        to += chunk;
        count -= chunk;
        if (input_at == input_end)
            offer_input();
    }
}
