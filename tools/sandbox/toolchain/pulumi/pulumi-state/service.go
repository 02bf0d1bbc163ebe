package main

import (
	"compress/gzip"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
)

// owner is the only user and organization, with the name that a file:// backend uses.
const owner = "organization"

// journalVersion is the supported version of the engine's journal.
const journalVersion = 1

// name matches the names of projects and stacks, which become names of files.
var name = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)

// service answers Pulumi's CLI, its only client, one request at a time.
type service struct {
	directory string
	token     string
	mutex     sync.Mutex
	stacks    map[string]*stack
	// updates has the stack of each update. A new update of a stack replaces an older one, whose CLI is presumed dead and
	// can no longer write.
	updates map[string]*stack
}

// answer handles a request about a stack and returns the response, which is sent as JSON.
type answer func(s *stack, request *http.Request) (any, error)

// newService returns the handler of all requests. It answers 404 to unknown requests, which tells the CLI that the service
// does not support them.
func newService(directory, token string) http.Handler {
	s := &service{directory: directory, token: token, stacks: map[string]*stack{}, updates: map[string]*stack{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/user", func(w http.ResponseWriter, _ *http.Request) {
		respond(w, map[string]string{"githubLogin": owner, "name": owner}, nil)
	})
	mux.HandleFunc("POST /api/stacks/{owner}/{project}", func(w http.ResponseWriter, _ *http.Request) {
		respond(w, apitype.CreateStackResponse{}, nil) // a stack that was never deployed exists and is empty
	})
	const stackPath = "/api/stacks/{owner}/{project}/{stack}"
	s.handle(mux, "GET "+stackPath, getStack)
	s.handle(mux, "DELETE "+stackPath, s.deleteStack)
	s.handle(mux, "GET "+stackPath+"/export", exportStack)
	s.handle(mux, "GET "+stackPath+"/updates", noHistory)
	s.handle(mux, "POST "+stackPath+"/{kind}", s.createUpdate)
	const updatePath = stackPath + "/update/{update}"
	s.handle(mux, "POST "+updatePath, s.startUpdate)
	s.handle(mux, "PATCH "+updatePath+"/journalentries", s.record)
	s.handle(mux, "POST "+updatePath+"/renew_lease", s.renewLease)
	s.handle(mux, "POST "+updatePath+"/events/batch", ignore)
	s.handle(mux, "POST "+updatePath+"/complete", s.complete)
	return s.authorized(mux)
}

// authorized accepts requests that have the token, of the kind "token" or, for an update, "update-token".
func (s *service) authorized(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		_, token, _ := strings.Cut(request.Header.Get("Authorization"), " ")
		if subtle.ConstantTimeCompare([]byte(token), []byte(s.token)) != 1 {
			respond(w, nil, failure(http.StatusUnauthorized, "the token is not that of this service"))
			return
		}
		next.ServeHTTP(w, request)
	})
}

// handle registers a request about a stack.
func (s *service) handle(mux *http.ServeMux, pattern string, do answer) {
	mux.HandleFunc(pattern, func(w http.ResponseWriter, request *http.Request) {
		s.mutex.Lock()
		defer s.mutex.Unlock()
		stack, err := s.stack(request.PathValue("project"), request.PathValue("stack"))
		if err != nil {
			respond(w, nil, err)
			return
		}
		response, err := do(stack, request)
		respond(w, response, err)
	})
}

func (s *service) stack(project, stackName string) (*stack, error) {
	if !name.MatchString(project) || !name.MatchString(stackName) {
		return nil, failure(http.StatusBadRequest, fmt.Sprintf("%q and %q must match %s", project, stackName, name))
	}
	key := project + "/" + stackName
	if known, ok := s.stacks[key]; ok {
		return known, nil
	}
	opened, err := openStack(s.directory, project, stackName)
	if err != nil {
		return nil, err
	}
	s.stacks[key] = opened
	return opened, nil
}

func getStack(s *stack, request *http.Request) (any, error) {
	return apitype.Stack{
		OrgName:     owner,
		ProjectName: request.PathValue("project"),
		StackName:   s.name,
		Tags:        map[apitype.StackTagName]string{},
	}, nil
}

func exportStack(s *stack, _ *http.Request) (any, error) {
	return s.deployment()
}

// noHistory answers that there are no earlier updates.
func noHistory(*stack, *http.Request) (any, error) {
	return map[string][]apitype.UpdateInfo{"updates": {}}, nil
}

func (s *service) deleteStack(stack *stack, request *http.Request) (any, error) {
	untyped, err := stack.deployment()
	if err != nil {
		return nil, err
	}
	var deployment apitype.DeploymentV3
	if err := json.Unmarshal(untyped.Deployment, &deployment); err != nil {
		return nil, err
	}
	if len(deployment.Resources) > 0 && request.FormValue("force") != "true" {
		return nil, failure(http.StatusBadRequest, "Bad Request: Stack still contains resources.") // the CLI expects these words
	}
	return struct{}{}, stack.remove()
}

func (s *service) createUpdate(stack *stack, _ *http.Request) (any, error) {
	for id, other := range s.updates {
		if other == stack {
			delete(s.updates, id)
		}
	}
	id := rand.Text()
	s.updates[id] = stack
	return apitype.UpdateProgramResponse{UpdateID: id}, stack.fold()
}

func (s *service) startUpdate(stack *stack, request *http.Request) (any, error) {
	if err := s.requireUpdate(request); err != nil {
		return nil, err
	}
	return apitype.StartUpdateResponse{Token: s.token, JournalVersion: journalVersion}, stack.begin()
}

func (s *service) record(stack *stack, request *http.Request) (any, error) {
	if err := s.requireUpdate(request); err != nil {
		return nil, err
	}
	var body struct {
		Entries []json.RawMessage `json:"entries"`
	}
	if err := decode(request, &body); err != nil {
		return nil, err
	}
	lines := make([]line, len(body.Entries))
	for index, entry := range body.Entries {
		lines[index] = line{Entry: entry}
	}
	return struct{}{}, stack.append(lines...)
}

func (s *service) renewLease(_ *stack, request *http.Request) (any, error) {
	return apitype.RenewUpdateLeaseResponse{Token: s.token}, s.requireUpdate(request)
}

func (s *service) complete(stack *stack, request *http.Request) (any, error) {
	if err := s.requireUpdate(request); err != nil {
		return nil, err
	}
	return struct{}{}, stack.fold()
}

// ignore accepts the engine's events, which are not stored.
func ignore(_ *stack, request *http.Request) (any, error) {
	_, err := io.Copy(io.Discard, request.Body)
	return struct{}{}, err
}

func (s *service) requireUpdate(request *http.Request) error {
	if _, ok := s.updates[request.PathValue("update")]; !ok {
		return failure(http.StatusConflict, "another update of this stack was started")
	}
	return nil
}

// decode reads the body of a request.
func decode(request *http.Request, into any) error {
	var body io.Reader = request.Body
	if request.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(body)
		if err != nil {
			return err
		}
		body = unzipped
	}
	return json.NewDecoder(body).Decode(into)
}

func failure(status int, message string) error {
	return &apitype.ErrorResponse{Code: status, Message: message}
}

// respond sends the response, or the error in the form that the CLI expects.
func respond(w http.ResponseWriter, answer any, err error) {
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		known := &apitype.ErrorResponse{Code: http.StatusInternalServerError, Message: err.Error()}
		errors.As(err, &known)
		w.WriteHeader(known.Code)
		answer = known
	}
	_ = json.NewEncoder(w).Encode(answer)
}
