package supervisor

import (
	"encoding/json"
	"os"
	"sync"
)

// Phase is where a sandbox is in its life.
type Phase string

// The phases, in order. Failed can follow any of them.
const (
	Starting Phase = "starting"
	Ready    Phase = "ready"
	Stopping Phase = "stopping"
	Stopped  Phase = "stopped"
	Failed   Phase = "failed"
)

// Status is the contents of status.json, which is written whole at each change.
type Status struct {
	// Pid is the supervisor's process, or 0.
	Pid   int   `json:"pid"`
	Phase Phase `json:"phase"`
	// Message says what a starting sandbox waits for, or why it failed.
	Message string `json:"message"`
	// APIServer is the URL of the API server. A sandbox keeps it through restarts, unless something else listens there.
	APIServer string `json:"apiServer"`
	// Processes has the process of each component by its name, and of each container as POD.CONTAINER.
	Processes map[string]int `json:"processes"`
	// Missing has, by the same names, the path of the program that a container waits for: its tool is not built.
	Missing map[string]string `json:"missing"`
}

// statusFile keeps status.json equal to the status in memory.
type statusFile struct {
	mutex  sync.Mutex
	path   string
	status Status
}

// readStatus returns the last status of an earlier run, or an empty one.
func readStatus(path string) Status {
	var status Status
	if data, err := os.ReadFile(path); err == nil {
		_ = json.Unmarshal(data, &status) // an unreadable file is replaced by the first update
	}
	return status
}

// update changes the status and replaces the file, so that readers never see half of it.
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
