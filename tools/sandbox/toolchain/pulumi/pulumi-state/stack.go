package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pulumi/pulumi/pkg/v3/backend"
	pulumistack "github.com/pulumi/pulumi/pkg/v3/resource/stack"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/encoding"
	"github.com/pulumi/pulumi/sdk/v3/go/common/snapshot"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
)

// stack is the state of one stack on disk: a checkpoint, in the place and the format of a file:// backend, and the journal
// of an update that is not folded into the checkpoint yet.
type stack struct {
	name       tokens.QName
	checkpoint string
	journal    string
	// appending is the journal of the running update.
	appending *os.File
}

// line is one line of a journal. Exactly one of its properties is set.
type line struct {
	// Base is the digest of the checkpoint that the entries change. It is in the first line.
	Base string `json:"base,omitempty"`
	// Entry is what the engine sent. Its secrets are encrypted.
	Entry json.RawMessage `json:"entry,omitempty"`
	// Folded is the digest of the checkpoint that includes all entries. It is in the last line.
	Folded string `json:"folded,omitempty"`
}

// openStack returns the stack, after folding the journal that a killed process left into the checkpoint.
func openStack(directory, project, name string) (*stack, error) {
	pulumi := filepath.Join(directory, ".pulumi")
	s := &stack{
		name:       tokens.QName(name),
		checkpoint: filepath.Join(pulumi, "stacks", project, name+".json"),
		journal:    filepath.Join(pulumi, "journals", project, name+".jsonl"),
	}
	for _, path := range []string{s.checkpoint, s.journal} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, err
		}
	}
	// Without it, a file:// backend assumes the layout from before stacks had projects.
	if err := replaceFile(filepath.Join(pulumi, "meta.yaml"), []byte("version: 1\n")); err != nil {
		return nil, err
	}
	return s, s.fold()
}

// deployment returns the deployment in the checkpoint; for a stack that was never deployed, an empty one.
func (s *stack) deployment() (*apitype.UntypedDeployment, error) {
	data, err := s.read()
	if err != nil {
		return nil, err
	}
	var versioned apitype.VersionedCheckpoint
	if err := json.Unmarshal(data, &versioned); err != nil {
		return nil, fmt.Errorf("%s: %w", s.checkpoint, err)
	}
	var checkpoint struct {
		Latest json.RawMessage `json:"latest"`
	}
	if err := json.Unmarshal(versioned.Checkpoint, &checkpoint); err != nil {
		return nil, fmt.Errorf("%s: %w", s.checkpoint, err)
	}
	return &apitype.UntypedDeployment{
		Version:    versioned.Version,
		Features:   versioned.Features,
		Deployment: checkpoint.Latest,
	}, nil
}

// replace replaces the checkpoint's deployment.
func (s *stack) replace(deployment *apitype.UntypedDeployment) error {
	versioned, err := pulumistack.MarshalUntypedDeploymentToVersionedCheckpoint(s.name, deployment)
	if err != nil {
		return err
	}
	data, err := json.Marshal(versioned)
	if err != nil {
		return err
	}
	return replaceFile(s.checkpoint, data)
}

// begin starts the journal of an update.
func (s *stack) begin() error {
	if err := s.fold(); err != nil {
		return err
	}
	base, err := s.read()
	if err != nil {
		return err
	}
	s.appending, err = os.OpenFile(s.journal, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	return s.append(line{Base: digest(base)})
}

// append writes lines to the journal. They are on disk when it returns.
func (s *stack) append(lines ...line) error {
	if s.appending == nil {
		return errors.New("no update has been started")
	}
	var data bytes.Buffer
	encoder := json.NewEncoder(&data)
	for _, each := range lines {
		if err := encoder.Encode(each); err != nil {
			return err
		}
	}
	if _, err := s.appending.Write(data.Bytes()); err != nil {
		return err
	}
	return s.appending.Sync()
}

// fold writes the journal's entries into the checkpoint and removes the journal. After an interruption at any moment,
// another call completes it.
func (s *stack) fold() error {
	if s.appending != nil {
		s.appending.Close()
		s.appending = nil
	}
	lines, err := readJournal(s.journal)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(lines) > 1 {
		if err := s.apply(lines); err != nil {
			return err
		}
	}
	return os.Remove(s.journal)
}

// apply writes the checkpoint that results from the current one and the journal, unless that is written already.
func (s *stack) apply(lines []line) error {
	data, err := s.read()
	if err != nil {
		return err
	}
	present := digest(data)
	if lines[len(lines)-1].Folded == present {
		return nil
	}
	if lines[0].Base != present {
		return fmt.Errorf("%s was changed by others since the steps in %s were recorded; what these made is in the cluster",
			s.checkpoint, s.journal)
	}
	folded, err := s.replay(data, lines[1:])
	if err != nil {
		return fmt.Errorf("%s cannot be applied to %s: %w", s.journal, s.checkpoint, err)
	}
	s.appending, err = os.OpenFile(s.journal, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	err = s.append(line{Folded: digest(folded)})
	s.appending.Close()
	s.appending = nil
	if err != nil {
		return err
	}
	return replaceFile(s.checkpoint, folded)
}

// replay returns the checkpoint after the entries.
func (s *stack) replay(checkpoint []byte, lines []line) ([]byte, error) {
	base, _, _, err := pulumistack.UnmarshalVersionedCheckpointToLatestCheckpoint(encoding.JSON, checkpoint)
	if err != nil {
		return nil, err
	}
	if base.Latest == nil {
		base.Latest = &apitype.DeploymentV3{}
	}
	replayer := backend.NewJournalReplayer(base.Latest)
	seen := map[int64]bool{}
	for _, each := range lines {
		if each.Entry == nil {
			continue
		}
		var entry apitype.JournalEntry
		if err := json.Unmarshal(each.Entry, &entry); err != nil {
			return nil, err
		}
		if seen[entry.SequenceID] {
			continue // The client received no answer and sent it again.
		}
		seen[entry.SequenceID] = true
		if err := replayer.Add(entry); err != nil {
			return nil, err
		}
	}
	deployment, err := replayer.GenerateDeployment()
	if err != nil {
		return nil, err
	}
	if err := snapshot.VerifyIntegrity(deployment.Deployment); err != nil {
		return nil, err
	}
	return s.encode(deployment)
}

// read returns the checkpoint, or one without resources if there is none.
func (s *stack) read() ([]byte, error) {
	data, err := os.ReadFile(s.checkpoint)
	if !errors.Is(err, fs.ErrNotExist) {
		return data, err
	}
	empty, err := backend.NewJournalReplayer(&apitype.DeploymentV3{}).GenerateDeployment()
	if err != nil {
		return nil, err
	}
	data, err = s.encode(empty)
	if err != nil {
		return nil, err
	}
	return data, replaceFile(s.checkpoint, data)
}

func (s *stack) encode(deployment apitype.TypedDeployment) ([]byte, error) {
	versioned, err := pulumistack.DeploymentV3ToCheckpoint(
		s.name, deployment.Deployment, deployment.Version, deployment.Features)
	if err != nil {
		return nil, err
	}
	return json.Marshal(versioned)
}

// remove deletes the stack.
func (s *stack) remove() error {
	return errors.Join(s.fold(), os.Remove(s.checkpoint))
}

// readJournal returns the complete lines; the last may be incomplete.
func readJournal(path string) ([]line, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var lines []line
	reader := bufio.NewReader(file)
	for number := 1; ; number++ {
		text, err := reader.ReadBytes('\n')
		if err == io.EOF {
			return lines, nil
		}
		if err != nil {
			return nil, err
		}
		var next line
		if err := json.Unmarshal(text, &next); err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", path, number, err)
		}
		lines = append(lines, next)
	}
}

// replaceFile writes the whole file or nothing. It is on disk when replaceFile returns.
func replaceFile(path string, data []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.Write(data)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return err
	}
	directory, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer directory.Close()
	return directory.Sync()
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
