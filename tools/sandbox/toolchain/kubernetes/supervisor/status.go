package supervisor

import (
	"encoding/json"
	"os"
	"sync"
)

// Phase is where a sandbox is in its life.
type Phase string

// The phases, in order; failed ends any of them.
const (
	Starting Phase = "starting"
	Ready    Phase = "ready"
	Stopping Phase = "stopping"
	Stopped  Phase = "stopped"
	Failed   Phase = "failed"
)

// Status is what status.json says. It is written whole at each change, and is all that others need to know.
type Status struct {
	// Pid of the supervisor.
	Pid   int   `json:"pid"`
	Phase Phase `json:"phase"`
	// Message says what is being waited for, or why it failed.
	Message string `json:"message"`
	// APIServer is the address of the API server; it stays the same through restarts of the same sandbox.
	APIServer string `json:"apiServer"`
	// PodNetwork is the CIDR of the pods' addresses.
	PodNetwork string `json:"podNetwork"`
	// Processes by name: the components, and the containers that run for real.
	Processes map[string]int `json:"processes"`
}

// statusFile keeps status.json equal to the status in memory.
type statusFile struct {
	mutex  sync.Mutex
	path   string
	status Status
}

// readStatus returns the status that an earlier run left behind, or an empty one.
func readStatus(path string) Status {
	var status Status
	if data, err := os.ReadFile(path); err == nil {
		_ = json.Unmarshal(data, &status) // an unreadable file is replaced by the first update
	}
	return status
}

// update changes the status and writes it; readers never see half a file.
func (f *statusFile) update(change func(*Status)) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	change(&f.status)
	data, err := json.MarshalIndent(f.status, "", "  ")
	if err != nil {
		return
	}
	if os.WriteFile(f.path+".new", data, 0o600) == nil {
		_ = os.Rename(f.path+".new", f.path)
	}
}

func (f *statusFile) phase(phase Phase, message string) {
	f.update(func(s *Status) { s.Phase, s.Message = phase, message })
}
