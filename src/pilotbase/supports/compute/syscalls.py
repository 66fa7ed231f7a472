"""System-call numbers that a cell refuses, for each processor architecture that was built and tested.

Our own table, so that no system headers are needed. A deny-list ages: numbers above ``newest`` do not exist in the
cell (ENOSYS), so that a new kernel brings nothing new in.
"""

from __future__ import annotations

from typing import NamedTuple


class Table(NamedTuple):
    """What the filter must know of one architecture."""

    audit: int  # AUDIT_ARCH_*: what seccomp_data.arch must be
    foreign: int  # numbers from here on belong to another ABI of the same architecture (x32) and are fatal
    newest: int
    denied: dict[str, int]
    clone: int
    clone3: int
    ioctl: int
    personality: int
    socket: int
    socketpair: int


_X86_64_DENIED = {
    # mounts and roots, old interface and new
    "pivot_root": 155, "chroot": 161, "mount": 165, "umount2": 166, "open_tree": 428, "move_mount": 429,
    "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433, "mount_setattr": 442, "statmount": 457,
    "listmount": 458, "open_tree_attr": 467,
    # namespaces
    "unshare": 272, "setns": 308,
    # the kernel itself
    "create_module": 174, "init_module": 175, "delete_module": 176, "get_kernel_syms": 177, "query_module": 178,
    "kexec_load": 246, "finit_module": 313, "kexec_file_load": 320, "reboot": 169, "swapon": 167, "swapoff": 168,
    "syslog": 103, "acct": 163, "quotactl": 179, "quotactl_fd": 443, "nfsservctl": 180, "_sysctl": 156,
    "uselib": 134, "vhangup": 153, "sethostname": 170, "setdomainname": 171, "lookup_dcookie": 212,
    "ioperm": 173, "iopl": 172, "modify_ldt": 154,
    # clocks
    "settimeofday": 164, "adjtimex": 159, "clock_settime": 227, "clock_adjtime": 305,
    # wide kernel surface
    "bpf": 321, "perf_event_open": 298, "userfaultfd": 323, "io_uring_setup": 425, "io_uring_enter": 426,
    "io_uring_register": 427, "fanotify_init": 300, "fanotify_mark": 301, "vmsplice": 278,
    # other processes
    "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312, "pidfd_getfd": 438,
    "process_madvise": 440, "process_mrelease": 448, "migrate_pages": 256, "move_pages": 279,
    # memory that the watchdog cannot see, and kernel objects that outlive a process
    "memfd_create": 319, "memfd_secret": 447, "shmget": 29, "shmat": 30, "shmctl": 31, "semget": 64, "semop": 65,
    "semctl": 66, "shmdt": 67, "msgget": 68, "msgsnd": 69, "msgrcv": 70, "msgctl": 71, "semtimedop": 220,
    "mq_open": 240, "add_key": 248, "request_key": 249, "keyctl": 250,
    # files by other ways than a path
    "mknod": 133, "mknodat": 259, "name_to_handle_at": 303, "open_by_handle_at": 304,
}  # fmt: skip

TABLES = {
    "x86_64": Table(
        audit=0xC000003E,
        foreign=0x40000000,
        newest=467,
        denied=_X86_64_DENIED,
        clone=56,
        clone3=435,
        ioctl=16,
        personality=135,
        socket=41,
        socketpair=53,
    ),
}
