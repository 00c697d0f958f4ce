//! The launchers and batch systems, and the variables by which they tell a process its part: data.

/// A launcher or batch system.
pub(super) struct System {
    /// Its name in `scheduler.systems`.
    pub(super) name: &'static str,
    /// Variables that are all set where it is at work.
    pub(super) marks: &'static [&'static str],
    /// Processes in the job.
    pub(super) world_size: &'static [&'static str],
    /// This process among them, from 0.
    pub(super) rank: &'static [&'static str],
    /// Processes of the job on this node.
    pub(super) local_world_size: &'static [&'static str],
    /// This process among them, from 0.
    pub(super) local_rank: &'static [&'static str],
    /// Nodes in the job.
    pub(super) nodes: &'static [&'static str],
    /// This node among them, from 0.
    pub(super) node_rank: &'static [&'static str],
    /// GPUs of the job on this node.
    pub(super) gpus: &'static [&'static str],
    /// CPUs for each process.
    pub(super) cpus_per_task: &'static [&'static str],
    /// Processor slots of the whole job.
    pub(super) slots: &'static [&'static str],
    /// Which element of a job array this is.
    pub(super) array_index: &'static [&'static str],
    /// How often the job was restarted.
    pub(super) restarts: &'static [&'static str],
    /// The job's id.
    pub(super) job_id: &'static [&'static str],
    /// The nodes' names.
    pub(super) node_list: &'static [&'static str],
}

const NONE: System = System {
    name: "",
    marks: &[],
    world_size: &[],
    rank: &[],
    local_world_size: &[],
    local_rank: &[],
    nodes: &[],
    node_rank: &[],
    gpus: &[],
    cpus_per_task: &[],
    slots: &[],
    array_index: &[],
    restarts: &[],
    job_id: &[],
    node_list: &[],
};

/// Innermost first: what `torchrun` says of a process counts over what Slurm says of the task that runs `torchrun`.
///
/// Sources: torchrun ("Environment Variables" in torch.distributed.elastic), DeepSpeed (`launcher/launch.py`),
/// Horovod (`horovodrun`), Open MPI (FAQ "What environmental variables …"), MVAPICH2 user guide, MPICH and Intel MPI
/// (Hydra's `pmip_cb.c`; Intel MPI reference), IBM JSM, Flux (flux-run(1)), srun(1), sbatch(1), IBM Spectrum LSF
/// ("Environment variables set for job execution"), qsub(1B) of PBS, submit(1) of Grid Engine, Kubernetes ("Indexed
/// Job"), Ray (`common/constants.h`).
pub(super) static SYSTEMS: &[System] = &[
    System {
        name: "torchrun",
        marks: &["TORCHELASTIC_RUN_ID"],
        world_size: &["WORLD_SIZE"],
        rank: &["RANK"],
        local_world_size: &["LOCAL_WORLD_SIZE"],
        local_rank: &["LOCAL_RANK"],
        node_rank: &["GROUP_RANK"],
        nodes: &["GROUP_WORLD_SIZE"],
        restarts: &["TORCHELASTIC_RESTART_COUNT"],
        job_id: &["TORCHELASTIC_RUN_ID"],
        ..NONE
    },
    System {
        name: "deepspeed",
        marks: &["CROSS_RANK", "CROSS_SIZE", "LOCAL_SIZE"],
        world_size: &["WORLD_SIZE"],
        rank: &["RANK"],
        local_world_size: &["LOCAL_SIZE"],
        local_rank: &["LOCAL_RANK"],
        nodes: &["CROSS_SIZE"],
        node_rank: &["CROSS_RANK"],
        ..NONE
    },
    System {
        name: "horovod",
        marks: &["HOROVOD_SIZE"],
        world_size: &["HOROVOD_SIZE"],
        rank: &["HOROVOD_RANK"],
        local_world_size: &["HOROVOD_LOCAL_SIZE"],
        local_rank: &["HOROVOD_LOCAL_RANK"],
        nodes: &["HOROVOD_CROSS_SIZE"],
        node_rank: &["HOROVOD_CROSS_RANK"],
        ..NONE
    },
    System {
        // torch.distributed's `env://`, set by hand, by a Kubernetes operator, by Ray Train or by Accelerate.
        name: "torch-env",
        marks: &["WORLD_SIZE", "RANK", "MASTER_ADDR"],
        world_size: &["WORLD_SIZE"],
        rank: &["RANK"],
        local_world_size: &["LOCAL_WORLD_SIZE"],
        local_rank: &["LOCAL_RANK"],
        node_rank: &["NODE_RANK"],
        ..NONE
    },
    System {
        name: "openmpi",
        marks: &["OMPI_COMM_WORLD_SIZE"],
        world_size: &["OMPI_COMM_WORLD_SIZE"],
        rank: &["OMPI_COMM_WORLD_RANK"],
        local_world_size: &["OMPI_COMM_WORLD_LOCAL_SIZE"],
        local_rank: &["OMPI_COMM_WORLD_LOCAL_RANK"],
        ..NONE
    },
    System {
        name: "mvapich2",
        marks: &["MV2_COMM_WORLD_SIZE"],
        world_size: &["MV2_COMM_WORLD_SIZE"],
        rank: &["MV2_COMM_WORLD_RANK"],
        local_world_size: &["MV2_COMM_WORLD_LOCAL_SIZE"],
        local_rank: &["MV2_COMM_WORLD_LOCAL_RANK"],
        ..NONE
    },
    System {
        name: "intel-mpi",
        marks: &["I_MPI_MPIRUN", "PMI_RANK"],
        world_size: &["PMI_SIZE"],
        rank: &["PMI_RANK"],
        local_world_size: &["MPI_LOCALNRANKS"],
        local_rank: &["MPI_LOCALRANKID"],
        ..NONE
    },
    System {
        name: "mpich",
        marks: &["PMI_RANK", "PMI_SIZE"],
        world_size: &["PMI_SIZE"],
        rank: &["PMI_RANK"],
        local_world_size: &["MPI_LOCALNRANKS"],
        local_rank: &["MPI_LOCALRANKID"],
        ..NONE
    },
    System {
        name: "jsrun",
        marks: &["JSM_NAMESPACE_SIZE"],
        world_size: &["JSM_NAMESPACE_SIZE"],
        rank: &["JSM_NAMESPACE_RANK"],
        local_world_size: &["JSM_NAMESPACE_LOCAL_SIZE"],
        local_rank: &["JSM_NAMESPACE_LOCAL_RANK"],
        ..NONE
    },
    System { name: "pmix", marks: &["PMIX_RANK"], rank: &["PMIX_RANK"], ..NONE },
    System {
        name: "flux",
        marks: &["FLUX_JOB_SIZE"],
        world_size: &["FLUX_JOB_SIZE"],
        rank: &["FLUX_TASK_RANK"],
        local_rank: &["FLUX_TASK_LOCAL_ID"],
        nodes: &["FLUX_JOB_NNODES"],
        job_id: &["FLUX_JOB_ID"],
        ..NONE
    },
    System {
        name: "slurm",
        marks: &["SLURM_JOB_ID"],
        world_size: &["SLURM_STEP_NUM_TASKS", "SLURM_NTASKS", "SLURM_NPROCS"],
        rank: &["SLURM_PROCID"],
        local_rank: &["SLURM_LOCALID"],
        nodes: &["SLURM_STEP_NUM_NODES", "SLURM_JOB_NUM_NODES", "SLURM_NNODES"],
        node_rank: &["SLURM_NODEID"],
        gpus: &["SLURM_GPUS_ON_NODE"],
        cpus_per_task: &["SLURM_CPUS_PER_TASK"],
        array_index: &["SLURM_ARRAY_TASK_ID"],
        restarts: &["SLURM_RESTART_COUNT"],
        job_id: &["SLURM_JOB_ID"],
        node_list: &["SLURM_STEP_NODELIST", "SLURM_JOB_NODELIST", "SLURM_NODELIST"],
        ..NONE
    },
    System {
        name: "lsf",
        marks: &["LSB_JOBID"],
        slots: &["LSB_DJOB_NUMPROC"],
        array_index: &["LSB_JOBINDEX"],
        job_id: &["LSB_JOBID"],
        node_list: &["LSB_MCPU_HOSTS", "LSB_HOSTS"],
        ..NONE
    },
    System {
        name: "pbs",
        marks: &["PBS_JOBID"],
        nodes: &["PBS_NUM_NODES"],
        slots: &["PBS_NP"],
        cpus_per_task: &["PBS_NUM_PPN", "NCPUS"],
        node_rank: &["PBS_NODENUM"],
        array_index: &["PBS_ARRAY_INDEX", "PBS_ARRAYID"],
        job_id: &["PBS_JOBID"],
        ..NONE
    },
    System {
        name: "sge",
        marks: &["SGE_ROOT", "JOB_ID"],
        nodes: &["NHOSTS"],
        slots: &["NSLOTS"],
        array_index: &["SGE_TASK_ID"],
        restarts: &["RESTARTED"],
        job_id: &["JOB_ID"],
        ..NONE
    },
    System {
        name: "kubernetes",
        marks: &["KUBERNETES_SERVICE_HOST"],
        array_index: &["JOB_COMPLETION_INDEX"],
        ..NONE
    },
    System { name: "ray", marks: &["RAY_JOB_ID"], job_id: &["RAY_JOB_ID"], ..NONE },
    System { name: "accelerate", marks: &["ACCELERATE_MIXED_PRECISION"], ..NONE },
];
