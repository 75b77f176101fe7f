"""A real SLURM of two nodes on this machine, on 127.0.0.1 alone, with everything that it writes in one folder.

    python tests/slurm_cluster.py start /tmp/slurm      # as root; Debian: apt install slurm-wlm munge
    python tests/slurm_cluster.py stop /tmp/slurm

There is no accounting, as on many small clusters. SLURM's commands look for their configuration in
/etc/slurm/slurm.conf, so a link to that of the folder stands there until `stop`. Where there is a file already, nothing
is started.
"""

import argparse
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

SYSTEM_CONF = Path("/etc/slurm/slurm.conf")
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol", "sinfo", "squeue", "srun")
INSTALL = "Debian: apt install --no-install-recommends slurm-wlm munge"
NODES = ("n1", "n2")
PATIENCE = 60  # seconds until everything must be up

CONF = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=10
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=2,bf_interval=2
SlurmdParameters=config_overrides
ReturnToService=2
SlurmdTimeout=10
MinJobAge=600
KillWait=3
OverTimeLimit=0
NodeName=n1 Weight=2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs={cpus} RealMemory=8000 State=UNKNOWN
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs={cpus} RealMemory=8000 State=UNKNOWN
PartitionName=short Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
"""


class Unavailable(Exception):
    """Why no SLURM can be started here."""


class Cluster:
    """The cluster whose files are in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.conf = folder / "slurm.conf"

    def start(self, cpus: int = 4) -> None:
        """Start it, with so many processors a node, and wait until its nodes are idle.

        Raises
        ------
        Unavailable
            A program is missing, we are not root, or the machine has a SLURM of its own.
        """
        if reason := missing_programs():
            raise Unavailable(reason)
        if _is_left_over(SYSTEM_CONF):
            SYSTEM_CONF.unlink()
        if SYSTEM_CONF.exists() or SYSTEM_CONF.is_symlink():
            raise Unavailable(f"{SYSTEM_CONF} is there: this machine has a SLURM of its own, which is left alone.")
        for name in ("state", *(f"spool.{node}" for node in NODES)):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        host = socket.gethostname().partition(".")[0]
        text = CONF.format(host=host, folder=self.folder, ports=_free_ports(1 + len(NODES)), cpus=cpus)
        self.conf.write_text(text, encoding="utf-8")
        SYSTEM_CONF.parent.mkdir(parents=True, exist_ok=True)
        SYSTEM_CONF.symlink_to(self.conf)
        try:
            self._start_munge()
            self.start_controller()
            for node in NODES:
                self.start_node(node)
            self._wait(lambda: _said("sinfo", "--noheader", "--format=%T %D") == f"idle {len(NODES)}", "idle nodes")
        except BaseException:
            self.stop()
            raise

    def _start_munge(self) -> None:
        key = self.folder / "munge.key"
        key.write_bytes(secrets.token_bytes(1024))
        key.chmod(0o400)
        self.folder.chmod(0o755)
        files = {"key-file": "key", "socket": "socket", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
        subprocess.run(
            ["munged", "--force", *(f"--{option}={self.folder}/munge.{ending}" for option, ending in files.items())],
            check=True,
            capture_output=True,
        )

    def start_controller(self) -> None:
        """Start slurmctld, and wait until it answers."""
        subprocess.run(["slurmctld", "-f", str(self.conf)], check=True, capture_output=True)
        self._wait(lambda: "is UP" in _said("scontrol", "ping"), "an answer of slurmctld")

    def start_node(self, node: str) -> None:
        """Start the slurmd of a node."""
        subprocess.run(["slurmd", "-N", node, "-f", str(self.conf)], check=True, capture_output=True)

    def kill(self, daemon: str) -> None:
        """End `slurmctld`, or `slurmd.n1` with all that runs on that node, as a power cut would."""
        pid = int((self.folder / f"{daemon}.pid").read_text(encoding="utf-8"))
        # A step outlives its slurmd. It names the node in its command line: slurmstepd: [12.batch] or spool.n1.
        for process in [pid, *(_steps(self.folder, daemon.partition(".")[2]) if "." in daemon else [])]:
            _end(process, signal.SIGKILL)

    def stop(self) -> None:
        """Cancel its jobs, end its processes by their pid files, and take the link in /etc/slurm away."""
        if SYSTEM_CONF.is_symlink() and SYSTEM_CONF.readlink() == self.conf:
            subprocess.run(["scancel", "--user=root"], capture_output=True, timeout=PATIENCE, check=False)
        for name in (*(f"slurmd.{node}" for node in NODES), "slurmctld", "munge"):
            file = self.folder / f"{name}.pid"
            if file.is_file():
                _end(int(file.read_text(encoding="utf-8")), signal.SIGTERM)
        if SYSTEM_CONF.is_symlink() and SYSTEM_CONF.readlink() == self.conf:
            SYSTEM_CONF.unlink()

    def _wait(self, until, what: str) -> None:  # type: ignore[no-untyped-def]
        end = time.monotonic() + PATIENCE
        while not until():
            if time.monotonic() > end:
                raise TimeoutError(f"SLURM: no {what} within {PATIENCE} s; its logs are in {self.folder}")
            time.sleep(0.2)


def missing_programs() -> str:
    """Say what this machine lacks for a SLURM; empty where it lacks nothing."""
    os.environ["PATH"] += os.pathsep + "/usr/sbin"  # where the daemons are, for those who are not root
    absent = [program for program in PROGRAMS if not shutil.which(program)]
    if absent:
        return f"needs SLURM: {', '.join(absent)} not on the PATH. {INSTALL}"
    return "" if os.geteuid() == 0 else "needs root: SLURM's daemons start jobs as other users."


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE).stdout.strip()


def _is_left_over(file: Path) -> bool:
    """Whether it is a link of ours whose folder is gone, or whose cluster a kill ended."""
    if not file.is_symlink():
        return False
    folder = file.readlink().parent
    pid = folder / "slurmctld.pid"
    ours = not file.exists() or (folder / "munge.key").is_file()
    return ours and not (pid.is_file() and Path("/proc", pid.read_text().strip()).is_dir())


def _free_ports(number: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [opened.getsockname()[1] for opened in sockets]
    for opened in sockets:
        opened.close()
    return ports


def _steps(folder: Path, node: str) -> list[int]:
    """Processes of the jobs on a node: its slurmstepds and all that they started."""
    parents: dict[int, int] = {}
    names: dict[int, str] = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            status = (process / "status").read_text(encoding="utf-8")
            names[int(process.name)] = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # it has ended meanwhile
            continue
        parents[int(process.name)] = int(status.partition("PPid:")[2].split()[0])
    jobs = set(_said("squeue", "--noheader", "--format=%A", f"--nodelist={node}").split())
    steps = [pid for pid, name in names.items() if name.startswith("slurmstepd: [") and name[13:].split(".")[0] in jobs]
    below = list(steps)
    for pid in below:
        below += [child for child, parent in parents.items() if parent == pid]
    return below


def _end(pid: int, how: signal.Signals) -> None:
    """End a process and wait until it has gone."""
    end = time.monotonic() + PATIENCE
    try:
        os.kill(pid, how)
        while time.monotonic() < end and _runs(pid):
            os.kill(pid, 0)
            time.sleep(0.1)
    except ProcessLookupError:
        pass


def _runs(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return False


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=("start", "stop"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cpus", type=int, default=4, help="processors of each node")
    given = parser.parse_args()
    try:
        cluster = Cluster(given.folder.absolute())
        cluster.start(given.cpus) if given.action == "start" else cluster.stop()
    except Unavailable as reason:
        sys.exit(f"error: {reason}")
